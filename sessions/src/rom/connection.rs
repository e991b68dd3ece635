//! The client's side of a session.

use super::client::Attached;
use super::{Rom, RomClient, Version};
use portcullis_component::{Connection, Env, Error};
use portcullis_shm::View;
use std::ops::{Deref, DerefMut};

/// A ROM session of one's own, with its copy attached.
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
///     |env| {
///         let mut config = RomConnection::new(env, "config")?;
///         assert!(config.view()?.is_none(), "nothing was asked for yet");
///         let content = config.newest()?;
///         assert_eq!(config.view()?.map(|copy| copy.len()), Some(7));
///         Ok::<_, Error>(content)
///     },
/// );
/// assert_eq!(config?, b"verbose");
/// # Ok::<_, Error>(())
/// ```
#[derive(Debug)]
pub struct RomConnection {
    connection: Connection<dyn Rom>,
    copy: Attached,
}

impl RomConnection {
    /// Opens a session of the content of that name. Blocks until it is there.
    ///
    /// # Errors
    /// As [`Env::connect`].
    pub fn new(env: &Env, name: &str) -> Result<RomConnection, Error> {
        env.connect(name, &()).map(RomConnection::from)
    }

    /// Has the session's copy replaced by the newest content; what that takes is donated. The dataspace is attached when it is
    /// another than before.
    ///
    /// # Errors
    /// [`Error::OutOfRam`] if the own budget has not as much; [`Error::InsufficientRamQuota`] if the server wants more again and
    /// again; [`Error::Rpc`] if it has ended; [`Error::Memory`].
    pub fn refresh(&mut self) -> Result<Version, Error> {
        self.copy.update(&mut self.connection)
    }

    /// The session's copy, where it lies; nothing if it has no bytes. It stays what it is until it is
    /// [refreshed](Self::refresh), whatever becomes of whoever made it.
    ///
    /// # Errors
    /// [`Error::Memory`] if the server says that it is larger than its dataspace.
    pub fn view(&self) -> Result<Option<View<'_>>, Error> {
        self.copy.view()
    }

    /// The newest content, as a copy in this component's own memory.
    ///
    /// # Errors
    /// As [`refresh`](Self::refresh).
    pub fn newest(&mut self) -> Result<Vec<u8>, Error> {
        self.refresh()?;
        match self.view()? {
            Some(copy) => Ok(copy.to_vec()?),
            None => Ok(Vec::new()),
        }
    }

    /// Closes the session and waits until all that was donated is back.
    ///
    /// # Errors
    /// As [`Connection::close`].
    pub fn close(self) -> Result<(), Error> {
        Connection::close(self.connection)
    }
}

/// Of a session that was opened in a way of one's own.
impl From<Connection<dyn Rom>> for RomConnection {
    fn from(connection: Connection<dyn Rom>) -> RomConnection {
        RomConnection { connection, copy: Attached::default() }
    }
}

impl Deref for RomConnection {
    type Target = RomClient;

    fn deref(&self) -> &RomClient {
        &self.connection
    }
}

impl DerefMut for RomConnection {
    fn deref_mut(&mut self) -> &mut RomClient {
        &mut self.connection
    }
}
