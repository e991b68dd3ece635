//! What is reported and read: contents by name, on one entrypoint.

use portcullis_component::{Error, Label};
use portcullis_rpc::{Reply, SignalCapability};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

/// Contents by name, between the [`RomComponent`](crate::rom::RomComponent) and the
/// [`ReportComponent`](crate::report::ReportComponent) of one component. Clones are the same board.
///
/// What a reporter puts there is there for as long as he is, since he pays for it. Who reads has a copy of his own, and pays
/// for that.
///
/// ```
/// use portcullis_sessions::Board;
///
/// let board = Board::default();
/// board.put("config", b"<config/>");
/// let first = board.version("config");
/// board.put("config", b"<config verbose=\"yes\"/>");
/// assert!(board.version("config") > first);
/// assert_eq!(board.version("nothing"), 0);
/// ```
#[derive(Clone, Default)]
pub struct Board(Rc<RefCell<Contents>>);

#[derive(Default)]
struct Contents {
    entries: BTreeMap<String, Entry>,
    /// No two contents have the same, whatever their names.
    last_version: u64,
}

#[derive(Default)]
struct Entry {
    /// Keeps its memory for the next content: a reporter pays for one.
    content: Vec<u8>,
    version: u64,
    has_reporter: bool,
    readers: Vec<Weak<Reader>>,
}

/// What names the content that goes with a label; nothing if there is none.
pub(crate) type Naming = dyn Fn(&Label) -> Option<String>;

/// A reader, as who is told of another version.
#[derive(Default)]
pub(crate) struct Reader {
    /// Who waits for it.
    pub(crate) waiting: RefCell<Option<Reply<Result<u64, Error>>>>,
    /// What is signalled.
    pub(crate) listener: RefCell<Option<SignalCapability>>,
}

impl Reader {
    fn tell(&self, version: u64) {
        self.waiting.take().into_iter().for_each(|reply| reply.answer(Ok(version)));
        self.listener.borrow().iter().for_each(SignalCapability::submit);
    }
}

impl Board {
    /// Puts a content there, and tells who waits for it. It stays until it is replaced.
    pub fn put(&self, name: &str, content: &[u8]) {
        let mut board = self.0.borrow_mut();
        board.last_version += 1;
        let version = board.last_version;
        let entry = board.entries.entry(name.to_owned()).or_default();
        entry.content.clear();
        entry.content.reserve_exact(content.len());
        entry.content.extend_from_slice(content);
        entry.version = version;
        entry.readers.iter().filter_map(Weak::upgrade).for_each(|reader| reader.tell(version));
    }

    /// The version of the content of that name; 0 if there is none.
    #[must_use]
    pub fn version(&self, name: &str) -> u64 {
        self.0.borrow().entries.get(name).map_or(0, |entry| entry.version)
    }

    /// Shows the content now, and its version.
    pub(crate) fn look<R>(&self, name: &str, look: impl FnOnce(u64, &[u8]) -> R) -> R {
        match self.0.borrow().entries.get(name) {
            Some(entry) => look(entry.version, &entry.content),
            None => look(0, &[]),
        }
    }

    /// Somebody reads there from now on, and is told of each new content.
    pub(crate) fn add_reader(&self, name: &str, reader: &Rc<Reader>) {
        let mut board = self.0.borrow_mut();
        board.entries.entry(name.to_owned()).or_default().readers.push(Rc::downgrade(reader));
    }

    /// Somebody is the reporter of that name from now on, and nobody else.
    pub(crate) fn begin_report(&self, name: &str) -> Result<(), Error> {
        let mut board = self.0.borrow_mut();
        let entry = board.entries.entry(name.to_owned()).or_default();
        if std::mem::replace(&mut entry.has_reporter, true) {
            return Err(Error::denied("report", "somebody else reports under that name"));
        }
        Ok(())
    }

    /// Takes a content away: its reporter is gone, say, and with him what he reported. Who waits goes on waiting, for the next one.
    pub fn remove(&self, name: &str) {
        if let Some(entry) = self.0.borrow_mut().entries.get_mut(name) {
            *entry = Entry { readers: std::mem::take(&mut entry.readers), ..Entry::default() };
        }
        self.tidy(name);
    }

    /// A reader is gone.
    pub(crate) fn tidy(&self, name: &str) {
        let mut board = self.0.borrow_mut();
        let is_empty = board.entries.get_mut(name).is_some_and(|entry| {
            entry.readers.retain(|reader| reader.strong_count() > 0);
            entry.version == 0 && !entry.has_reporter && entry.readers.is_empty()
        });
        if is_empty {
            board.entries.remove(name);
        }
    }
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.borrow().entries.keys()).finish()
    }
}
