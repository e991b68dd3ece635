//! Typed capabilities.

use crate::client::Client;
use crate::interface::{Derives, Interface};
use crate::slots;
use portcullis_ipc as ipc;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::fmt;
use std::marker::PhantomData;

/// The right to call one object through the interface `I`, which is a `dyn Trait`.
///
/// Clones share one reference. It can be an argument or a result, or part of one, and nowhere else: outside of a
/// call its `Serialize` fails. A capability that comes from elsewhere is alleged to have its interface; each call
/// carries the method's link, so that a mistake is [`Error::WrongInterface`](crate::Error::WrongInterface) and never
/// the wrong method.
pub struct Capability<I: ?Sized> {
    untyped: ipc::Capability,
    interface: PhantomData<fn() -> Box<I>>,
}

impl<I: ?Sized> Capability<I> {
    /// Types a capability.
    #[must_use]
    pub fn from_untyped(untyped: ipc::Capability) -> Self {
        Capability { untyped, interface: PhantomData }
    }

    /// The capability without its type.
    #[must_use]
    pub fn untyped(&self) -> &ipc::Capability {
        &self.untyped
    }

    /// Whether both are capabilities to one object, through whatever interfaces. Blocks for no longer than the deadline; see
    /// [`portcullis_ipc::Capability::same_object`] for what it is worth.
    ///
    /// ```
    /// # use portcullis_ipc::{Deadline, Pd, Server};
    /// # use portcullis_rpc::Capability;
    /// trait Lamp {}
    ///
    /// let mut server = Server::new(&Pd::new()?)?;
    /// let (one, other) = (server.mint()?.1, server.mint()?.1);
    /// let [one, other] = [one, other].map(Capability::<dyn Lamp>::from_untyped);
    /// assert!(one.same_object(&one.clone(), Deadline::Never)?);
    /// assert!(!one.same_object(&other, Deadline::Never)?);
    /// # Ok::<_, portcullis_ipc::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`portcullis_ipc::Capability::same_object`].
    pub fn same_object<J: ?Sized>(
        &self,
        other: &Capability<J>,
        deadline: ipc::Deadline,
    ) -> Result<bool, ipc::Error> {
        self.untyped.same_object(&other.untyped, deadline)
    }

    /// The capability without its type.
    #[must_use]
    pub fn into_untyped(self) -> ipc::Capability {
        self.untyped
    }
}

impl<I: ?Sized + Interface> Capability<I> {
    /// A local proxy: calls the object by the methods of its interface.
    #[must_use]
    pub fn client(&self) -> Client<I> {
        Client::new(self.clone())
    }

    /// The same right, through an interface that this one derives from.
    #[must_use]
    pub fn upcast<B: ?Sized>(self) -> Capability<B>
    where
        I: Derives<B>,
    {
        Capability::from_untyped(self.untyped)
    }
}

impl<I: ?Sized> Clone for Capability<I> {
    fn clone(&self) -> Self {
        Capability::from_untyped(self.untyped.clone())
    }
}

impl<I: ?Sized + Interface> fmt::Debug for Capability<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Capability<{}>({:?})", I::NAME, self.untyped)
    }
}

impl<I: ?Sized> Serialize for Capability<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match slots::put(self.untyped.clone()) {
            Some(slot) => serializer.serialize_u8(slot),
            None => Err(ser::Error::custom("a capability travels only in a call, four at a time")),
        }
    }
}

impl<'de, I: ?Sized> Deserialize<'de> for Capability<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let slot = u8::deserialize(deserializer)?;
        let untyped = slots::claim(slot).filter(|untyped| untyped.dataspace().is_none());
        let untyped = untyped.ok_or_else(|| de::Error::custom("no capability to an object in that slot"))?;
        Ok(Capability::from_untyped(untyped))
    }
}
