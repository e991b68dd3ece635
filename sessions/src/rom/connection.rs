//! The client's side of a session.

use super::client::newest;
use super::{Rom, RomClient};
use portcullis_component::{Connection, Env, Error};
use std::ops::{Deref, DerefMut};

/// A ROM session of one's own.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Error};
/// use portcullis_sessions::Board;
/// use portcullis_sessions::rom::{Rom, RomComponent, RomConnection};
///
/// let config = with_server(
///     |env: Env| {
///         let board = Board::default();
///         board.put("config", b"verbose");
///         env.announce::<dyn Rom, _>(RomComponent::new(&board, |label| Some(label.last().into())))
///     },
///     |env| RomConnection::new(env, "config")?.newest(),
/// );
/// assert_eq!(config?, b"verbose");
/// # Ok::<_, Error>(())
/// ```
#[derive(Debug)]
pub struct RomConnection(Connection<dyn Rom>);

impl RomConnection {
    /// Opens a session of the content of that name. Blocks until it is there.
    ///
    /// # Errors
    /// As [`Env::connect`].
    pub fn new(env: &Env, name: &str) -> Result<RomConnection, Error> {
        env.connect(name, &()).map(RomConnection)
    }

    /// The newest content; what it takes is donated.
    ///
    /// # Errors
    /// [`Error::OutOfRam`] if the own budget has not as much; [`Error::Rpc`] if the server has ended.
    pub fn newest(&mut self) -> Result<Vec<u8>, Error> {
        newest(&mut self.0)
    }

    /// Closes the session and waits until all that was donated is back.
    ///
    /// # Errors
    /// As [`Connection::close`].
    pub fn close(self) -> Result<(), Error> {
        Connection::close(self.0)
    }
}

impl Deref for RomConnection {
    type Target = RomClient;

    fn deref(&self) -> &RomClient {
        &self.0
    }
}

impl DerefMut for RomConnection {
    fn deref_mut(&mut self) -> &mut RomClient {
        &mut self.0
    }
}
