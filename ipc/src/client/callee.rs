//! The entrypoint at the other end of a channel, as far as it has been said who it is and for whom it waits.

use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::protocol::waits::{self, Seen, Word};
use crate::sys::memory::{ReadOnlyWords, Words};
use crate::sys::socket;
use crate::wire::control::Control;
use crate::wire::layout;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

/// An entrypoint whose page we have.
#[derive(Debug)]
pub(crate) struct Callee {
    id: EntrypointId,
    page: Page,
}

#[derive(Debug)]
enum Page {
    /// Of this process.
    Here(Words<{ layout::PAGE_WORDS }>),
    /// Of another process: what it says is alleged. Mapped when we first look at it; the file is passed on with portals.
    There { file: PeerDescriptor, words: OnceLock<ReadOnlyWords> },
}

impl Callee {
    /// An entrypoint of this process.
    pub(crate) fn here(id: EntrypointId, page: Words<{ layout::PAGE_WORDS }>) -> Callee {
        Callee { id, page: Page::Here(page) }
    }

    /// The entrypoint of a greeting.
    pub(crate) fn greeted(id: EntrypointId, file: PeerDescriptor) -> Result<Callee, Error> {
        ReadOnlyWords::check(file.as_fd(), layout::PAGE_BYTES)?;
        Ok(Callee { id, page: Page::There { file, words: OnceLock::new() } })
    }

    pub(crate) fn id(&self) -> EntrypointId {
        self.id
    }

    /// Greets in its stead whoever gets the other end of the socket. Answers whether that was done.
    pub(crate) fn greet(&self, socket: BorrowedFd<'_>) -> bool {
        // Within its own process nothing is opened by it.
        let Page::There { file, .. } = &self.page else { return false };
        socket::send(socket, &Control::Greeting(self.id).encode(), &[file.as_fd()]).is_ok()
    }

    /// For whom it waits, if it does.
    pub(crate) fn wait(&self) -> Result<Option<Seen>, Error> {
        Ok(waits::glimpse(self.words()?))
    }

    /// Whether it waits as it was seen to, without a break.
    pub(crate) fn still_waits(&self, seen: Seen) -> bool {
        self.words().is_ok_and(|words| waits::still_waits(seen, words))
    }

    /// Loads a word of its page.
    fn words(&self) -> Result<impl Fn(Word, Ordering) -> u64, Error> {
        if let Page::There { file, words } = &self.page
            && words.get().is_none()
        {
            let _ = words.set(ReadOnlyWords::foreign(file.as_fd(), layout::PAGE_BYTES)?);
        }
        Ok(move |word, ordering| match &self.page {
            Page::Here(words) => words[word as usize].load(ordering),
            Page::There { words, .. } => words.get().map_or(0, |words| words.load(word as usize, ordering)),
        })
    }
}
