//! The client's side: whole contents.

use super::{MAX_READ, Rom};
use portcullis_component::{Connection, Error, Quota};
use portcullis_rpc::Client;

/// A client of a ROM session.
pub type RomClient = Client<dyn Rom>;

/// What a ROM can do that takes several calls.
pub trait RomContent: Rom {
    /// The whole of the session's copy.
    ///
    /// # Errors
    /// Of the first call that fails.
    fn content(&mut self) -> Result<Vec<u8>, Error> {
        let mut content = Vec::new();
        loop {
            let Ok(offset) = u32::try_from(content.len()) else { return Ok(content) };
            let part = self.read(offset, MAX_READ)?;
            if part.is_empty() {
                return Ok(content);
            }
            content.extend(part);
        }
    }
}

impl<R: Rom + ?Sized> RomContent for R {}

/// The newest content, paid for as far as it takes: [`Rom::update`] with as many upgrades as the server asks for.
///
/// # Errors
/// As [`Connection::upgrade`], or of the calls.
pub(super) fn newest(connection: &mut Connection<dyn Rom>) -> Result<Vec<u8>, Error> {
    loop {
        match connection.update() {
            Ok(_) => return connection.content(),
            Err(Error::InsufficientRamQuota { missing }) => {
                Connection::upgrade(connection, Quota { ram: missing, ..Quota::NONE })?;
            }
            Err(error) => return Err(error),
        }
    }
}
