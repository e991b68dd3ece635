//! The client's side of a session.

use super::{Arguments, Report, ReportBuffer, ReportClient};
use portcullis_component::{Connection, Env, Error};
use portcullis_shm::BufferClient;
use std::ops::{Deref, DerefMut};

/// A report session of one's own, with its buffer attached.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Error};
/// use portcullis_sessions::Board;
/// use portcullis_sessions::report::{Report, ReportComponent, ReportConnection};
///
/// with_server(
///     |env: Env| {
///         let name = |label: &portcullis_component::Label| Some(label.last().to_owned());
///         env.announce::<dyn Report, _>(ReportComponent::new(&Board::default(), name))
///     },
///     |env| {
///         let mut report = ReportConnection::new(env, "state", 4096)?;
///         report.report(b"all is well")?;
///         assert!(matches!(report.report(&[0; 5000]), Err(Error::InsufficientRamQuota { .. })));
///         report.close()
///     },
/// )?;
/// # Ok::<_, Error>(())
/// ```
#[derive(Debug)]
pub struct ReportConnection {
    connection: Connection<dyn Report>,
    buffer: BufferClient,
}

impl ReportConnection {
    /// Opens a session for reports of that name, of at most so many bytes. Blocks until it is there.
    ///
    /// # Errors
    /// As [`Env::connect`]; [`Error::Memory`] if the buffer cannot be attached.
    pub fn new(env: &Env, name: &str, size: u32) -> Result<ReportConnection, Error> {
        let mut connection = env.connect::<dyn Report>(name, &Arguments { size })?;
        let buffer = connection.attach()?;
        Ok(ReportConnection { connection, buffer })
    }

    /// Reports a content, in place of the one before.
    ///
    /// # Errors
    /// As [`ReportBuffer::report_by`].
    pub fn report(&mut self, content: &[u8]) -> Result<(), Error> {
        self.connection.report_by(&self.buffer, content)
    }

    /// Closes the session and waits until all that was donated is back.
    ///
    /// # Errors
    /// As [`Connection::close`].
    pub fn close(self) -> Result<(), Error> {
        Connection::close(self.connection)
    }
}

impl Deref for ReportConnection {
    type Target = ReportClient;

    fn deref(&self) -> &ReportClient {
        &self.connection
    }
}

impl DerefMut for ReportConnection {
    fn deref_mut(&mut self) -> &mut ReportClient {
        &mut self.connection
    }
}
