//! Dataspace capabilities as arguments and results.

use crate::slots;
use portcullis_ipc as ipc;
use portcullis_shm as shm;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::ops::Deref;

/// The right to attach one dataspace, as an argument or a result, or part of one: a [`portcullis_shm::DataspaceCapability`], to
/// which it dereferences, that can travel. It goes to whomever a message goes, and takes one of its four slots.
///
/// What came is nothing but a claim: that it is a dataspace of the size that it says is checked when it is attached or
/// imported. A server does that with what a client made by
/// [`attach_foreign`](portcullis_shm::DataspaceCapability::attach_foreign).
///
/// ```
/// use portcullis_rpc::{DataspaceCapability, Error, rpc_interface};
/// use portcullis_shm::{RamAccount, RamAllocator, RamQuota, Rom};
///
/// #[rpc_interface]
/// pub trait Pictures {
///     fn picture(&mut self) -> Result<DataspaceCapability, Error>;
/// }
///
/// struct One(Rom);
/// impl Pictures for One {
///     fn picture(&mut self) -> Result<DataspaceCapability, Error> {
///         Ok(self.0.capability().into())
///     }
/// }
///
/// let file = std::fs::File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
/// let rom = RamAllocator::new(&RamAccount::new(RamQuota::mib(1))).rom(file, 100_000).unwrap();
/// let received = One(rom).picture()?;
/// assert!(received.import_rom(100_000).unwrap().bytes().starts_with(b"[package]"));
/// # Ok::<_, Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct DataspaceCapability(shm::DataspaceCapability);

impl DataspaceCapability {
    /// What a message of the layer below carried; `None` if that is no dataspace.
    #[must_use]
    pub fn from_untyped(untyped: &ipc::Capability) -> Option<DataspaceCapability> {
        let (descriptor, attributes) = untyped.dataspace()?;
        let attributes = shm::Attributes::from_bits(attributes);
        Some(DataspaceCapability(shm::DataspaceCapability::from_parts(descriptor, attributes)))
    }

    /// What a message of the layer below carries.
    #[must_use]
    pub fn to_untyped(&self) -> ipc::Capability {
        ipc::Capability::from_dataspace(self.0.descriptor(), self.0.attributes().bits())
    }
}

impl From<shm::DataspaceCapability> for DataspaceCapability {
    fn from(capability: shm::DataspaceCapability) -> Self {
        DataspaceCapability(capability)
    }
}

impl From<DataspaceCapability> for shm::DataspaceCapability {
    fn from(capability: DataspaceCapability) -> Self {
        capability.0
    }
}

impl Deref for DataspaceCapability {
    type Target = shm::DataspaceCapability;

    fn deref(&self) -> &shm::DataspaceCapability {
        &self.0
    }
}

impl Serialize for DataspaceCapability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match slots::put(self.to_untyped()) {
            Some(slot) => serializer.serialize_u8(slot),
            None => Err(ser::Error::custom("a dataspace travels only in a call, four at a time")),
        }
    }
}

impl<'de> Deserialize<'de> for DataspaceCapability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let untyped = slots::claim(u8::deserialize(deserializer)?);
        untyped
            .and_then(|untyped| DataspaceCapability::from_untyped(&untyped))
            .ok_or_else(|| de::Error::custom("no dataspace in that slot"))
    }
}
