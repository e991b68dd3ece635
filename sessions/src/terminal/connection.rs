//! The client's side of a session.

use super::{Terminal, TerminalBuffers, TerminalBytes, TerminalClient};
use portcullis_component::{Connection, Env, Error};
use std::ops::{Deref, DerefMut};

/// A terminal session of one's own, with its buffers attached.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Error};
/// use portcullis_sessions::terminal::{CrosslinkComponent, Terminal, TerminalConnection};
///
/// let read = with_server(
///     |env: Env| env.announce::<dyn Terminal, _>(CrosslinkComponent::default()),
///     |env| {
///         let mut left = TerminalConnection::new(env, "left")?;
///         let mut right = TerminalConnection::new(env, "right")?;
///         left.write_all(b"knock")?;
///         assert_eq!(right.available(), Ok(5));
///         right.read_some()
///     },
/// );
/// assert_eq!(read?, b"knock");
/// # Ok::<_, Error>(())
/// ```
#[derive(Debug)]
pub struct TerminalConnection {
    connection: Connection<dyn Terminal>,
    buffers: TerminalBuffers,
}

impl TerminalConnection {
    /// Opens a session. Blocks until it is there.
    ///
    /// # Errors
    /// As [`Env::connect`]; [`Error::Memory`] if the buffers cannot be attached.
    pub fn new(env: &Env, label: &str) -> Result<TerminalConnection, Error> {
        let mut connection = env.connect::<dyn Terminal>(label, &())?;
        let buffers = TerminalBuffers::attach(&connection.buffers()?)?;
        Ok(TerminalConnection { connection, buffers })
    }

    /// How many bytes can be read without waiting.
    ///
    /// # Errors
    /// Of the call.
    pub fn available(&mut self) -> Result<u32, Error> {
        self.connection.available(self.buffers.position())
    }

    /// As [`TerminalBytes::read_by`].
    ///
    /// # Errors
    /// As [`TerminalBytes::read_by`].
    pub fn read_some(&mut self) -> Result<Vec<u8>, Error> {
        self.connection.read_by(&mut self.buffers)
    }

    /// As [`TerminalBytes::write_by`].
    ///
    /// # Errors
    /// As [`TerminalBytes::write_by`].
    pub fn write_all(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.connection.write_by(&self.buffers, bytes)
    }

    /// Closes the session and waits until all that was donated is back.
    ///
    /// # Errors
    /// As [`Connection::close`].
    pub fn close(self) -> Result<(), Error> {
        Connection::close(self.connection)
    }
}

impl Deref for TerminalConnection {
    type Target = TerminalClient;

    fn deref(&self) -> &TerminalClient {
        &self.connection
    }
}

impl DerefMut for TerminalConnection {
    fn deref_mut(&mut self) -> &mut TerminalClient {
        &mut self.connection
    }
}
