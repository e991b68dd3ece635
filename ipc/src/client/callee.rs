//! The entrypoint at the other end of a channel, as far as it has been said who it is and for whom it waits.

use crate::entrypoint_id::EntrypointId;
use crate::error::Error;
use crate::pd::Pd;
use crate::protocol::waits::{self, Wait};
use crate::sys::memory::{ReadOnlyWords, Words};
use crate::wire::layout;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

/// An entrypoint whose page we have.
#[derive(Debug)]
pub(crate) struct Callee {
    id: EntrypointId,
    page: Page,
}

#[derive(Debug)]
enum Page {
    /// Of this process.
    Here(Words),
    /// Of another process: what it says is alleged. Mapped when we first look at it; the file is passed on with portals.
    There { file: OwnedFd, words: OnceLock<ReadOnlyWords> },
}

impl Callee {
    /// An entrypoint of this process.
    pub(crate) fn here(id: EntrypointId, page: Words) -> Callee {
        Callee { id, page: Page::Here(page) }
    }

    /// The entrypoint of a greeting.
    pub(crate) fn greeted(pd: &Pd, id: EntrypointId, file: OwnedFd) -> Result<Callee, Error> {
        match ReadOnlyWords::check(&file, layout::PAGE_BYTES) {
            Ok(()) => Ok(Callee { id, page: Page::There { file, words: OnceLock::new() } }),
            Err(error) => {
                // Whatever it is, closing it may block.
                pd.close_later([file]);
                Err(error)
            }
        }
    }

    pub(crate) fn id(&self) -> EntrypointId {
        self.id
    }

    /// The file behind its page, to be passed on; nothing within its own process.
    pub(crate) fn file(&self) -> Option<BorrowedFd<'_>> {
        match &self.page {
            Page::Here(_) => None,
            Page::There { file, .. } => Some(file.as_fd()),
        }
    }

    /// For whom it waits, if it does.
    pub(crate) fn wait(&self) -> Result<Option<Wait>, Error> {
        match &self.page {
            Page::Here(words) => Ok(waits::glimpse(|word, ordering| words[word as usize].load(ordering))),
            Page::There { file, words } => {
                if words.get().is_none() {
                    let _ = words.set(ReadOnlyWords::foreign(file, layout::PAGE_BYTES)?);
                }
                let words = words.get();
                Ok(words
                    .and_then(|words| waits::glimpse(|word, ordering| words.load(word as usize, ordering))))
            }
        }
    }
}
