//! The transmit half of a signal.

use crate::{slots, trace};
use portcullis_ipc as ipc;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::fmt;

/// The right to submit signals to one signal context, wherever its handler runs.
///
/// A signal says that something has happened, and nothing of what: its handler looks. Clones share one reference. Like a
/// [`Capability`](crate::Capability), it can be an argument or a result, or part of one, and nowhere else. It has no
/// methods that could be called.
///
/// ```
/// use portcullis_ipc::{Pd, Server, SignalLevel};
/// use portcullis_rpc::{Error, SignalCapability, rpc_interface};
///
/// #[rpc_interface]
/// trait Input {
///     fn pending(&mut self) -> Result<u32, Error>;
///     /// Whoever is to be told that there is input.
///     fn sigh(&mut self, context: SignalCapability) -> Result<(), Error>;
/// }
///
/// struct Keyboard {
///     keys: u32,
///     listeners: Vec<SignalCapability>,
/// }
///
/// impl Input for Keyboard {
///     fn pending(&mut self) -> Result<u32, Error> {
///         Ok(std::mem::take(&mut self.keys))
///     }
///     fn sigh(&mut self, context: SignalCapability) -> Result<(), Error> {
///         self.listeners.push(context);
///         Ok(())
///     }
/// }
///
/// let mut server = Server::new(&Pd::new()?)?;
/// let (_, context) = server.mint_context(SignalLevel::Application)?;
/// let mut keyboard = Keyboard { keys: 0, listeners: Vec::new() };
/// keyboard.sigh(SignalCapability::from_untyped(context))?;
/// keyboard.keys += 1;
/// keyboard.listeners.iter().for_each(SignalCapability::submit);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SignalCapability(ipc::Capability);

impl SignalCapability {
    /// Says of a capability that it is one to a signal context. If it is not, [`submit`](Self::submit) does nothing.
    #[must_use]
    pub fn from_untyped(untyped: ipc::Capability) -> Self {
        SignalCapability(untyped)
    }

    /// Submits a signal: the handler runs at least once after this. Never waits and never fails, whatever the handler does
    /// and whether or not it lives. However many are submitted before it runs, it may run once for all of them. See
    /// [`portcullis_ipc::Capability::submit`].
    #[inline]
    pub fn submit(&self) {
        trace::submit();
        self.0.submit();
    }

    /// Whether both are capabilities to one signal context. Blocks for no longer than the deadline; see
    /// [`portcullis_ipc::Capability::same_object`] for what it is worth.
    ///
    /// # Errors
    /// As [`portcullis_ipc::Capability::same_object`].
    pub fn same_context(
        &self,
        other: &SignalCapability,
        deadline: ipc::Deadline,
    ) -> Result<bool, ipc::Error> {
        self.0.same_object(&other.0, deadline)
    }

    /// The capability without its type.
    #[must_use]
    pub fn untyped(&self) -> &ipc::Capability {
        &self.0
    }

    /// The capability without its type.
    #[must_use]
    pub fn into_untyped(self) -> ipc::Capability {
        self.0
    }
}

impl fmt::Debug for SignalCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignalCapability({:?})", self.0)
    }
}

impl Serialize for SignalCapability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match slots::put(self.0.clone()) {
            Some(slot) => serializer.serialize_u8(slot),
            None => Err(ser::Error::custom("a capability travels only in a call, four at a time")),
        }
    }
}

impl<'de> Deserialize<'de> for SignalCapability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let slot = u8::deserialize(deserializer)?;
        let untyped = slots::claim(slot).filter(|untyped| untyped.dataspace().is_none());
        let untyped = untyped.ok_or_else(|| de::Error::custom("no capability to a context in that slot"))?;
        Ok(SignalCapability(untyped))
    }
}
