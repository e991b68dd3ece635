//! The client's side: what is attached of it.

use super::{Rom, Version};
use portcullis_component::{Connection, Error, Quota};
use portcullis_rpc::Client;
use portcullis_shm::{Attachment, View, Window};

/// How often a copy is asked for again with more donated, until what the server says is the caller's: a content may grow
/// meanwhile, and a server may say for ever that there is not enough.
const ATTEMPTS: usize = 8;

/// A client of a ROM session.
pub type RomClient = Client<dyn Rom>;

/// What a ROM can do that takes several calls.
pub trait RomContent: Rom {
    /// Attaches the dataspace in which the session's copy lies, to be read; nothing if there is none yet.
    ///
    /// # Errors
    /// Of the call, or [`Error::Memory`] if what comes is no dataspace.
    fn attach(&mut self) -> Result<Option<Attachment>, Error> {
        let Some(capability) = self.dataspace()? else { return Ok(None) };
        Ok(Some(capability.import()?.attach_read_only(Window::WHOLE)?))
    }
}

impl<R: Rom + ?Sized> RomContent for R {}

/// The session's copy, as its client sees it.
#[derive(Debug, Default)]
pub(super) struct Attached {
    version: Version,
    attachment: Option<Attachment>,
}

impl Attached {
    /// Has the copy replaced by the newest content, paid for as far as it takes: [`Rom::update`], with some upgrades if the server
    /// asks for them.
    pub(super) fn update(&mut self, connection: &mut Connection<dyn Rom>) -> Result<Version, Error> {
        let mut updated = connection.update();
        for _ in 1..ATTEMPTS {
            let Err(Error::InsufficientRamQuota { missing }) = updated else { break };
            Connection::upgrade(connection, Quota { ram: missing, ..Quota::NONE })?;
            updated = connection.update();
        }
        let version = updated?;
        if version.dataspace != self.version.dataspace {
            self.attachment = connection.attach()?;
        }
        self.version = version;
        Ok(version)
    }

    /// The copy; nothing if it has no bytes.
    pub(super) fn view(&self) -> Result<Option<View<'_>>, Error> {
        let size = usize::try_from(self.version.size).unwrap_or(usize::MAX);
        let attachment = self.attachment.as_ref().filter(|_| size > 0);
        Ok(attachment.map(|attachment| attachment.view(0, size)).transpose()?)
    }
}
