//! The server's side: copies from a board.

use super::{MAX_READ, Rom, Version};
use crate::board::{Board, Naming, Waiting};
use portcullis_component::{Budget, Error, Label, Opening, Sessions};
use portcullis_rpc::Later;
use portcullis_shm::{RamQuota, Reservation};
use std::fmt;
use std::rc::Rc;

/// Serves the contents of a board.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Error};
/// use portcullis_sessions::Board;
/// use portcullis_sessions::report::{Arguments, Report, ReportComponent, ReportContent};
/// use portcullis_sessions::rom::{Rom, RomComponent, RomConnection};
///
/// let read = with_server(
///     |env: Env| {
///         let board = Board::default();
///         let name = |label: &portcullis_component::Label| Some(label.last().to_owned());
///         env.announce::<dyn Report, _>(ReportComponent::new(&board, name))?;
///         env.announce::<dyn Rom, _>(RomComponent::new(&board, name))
///     },
///     |env| {
///         let mut report = env.connect::<dyn Report>("state", &Arguments { size: 4096 })?;
///         report.report(b"all is well")?;
///         RomConnection::new(env, "state")?.newest()
///     },
/// );
/// assert_eq!(read?, b"all is well");
/// # Ok::<_, Error>(())
/// ```
pub struct RomComponent {
    board: Board,
    name: Box<Naming>,
}

impl RomComponent {
    /// Serves each client the content that the closure names for its label, and denies whom it names none.
    #[must_use]
    pub fn new(board: &Board, name: impl Fn(&Label) -> Option<String> + 'static) -> RomComponent {
        RomComponent { board: board.clone(), name: Box::new(name) }
    }
}

impl Sessions<dyn Rom> for RomComponent {
    type Session = RomSession;

    fn create(&mut self, opening: Opening<()>) -> Result<RomSession, Error> {
        let name = (self.name)(&opening.label);
        let name = name.ok_or_else(|| Error::denied("rom", "there is no content for this label"))?;
        Ok(RomSession {
            name,
            board: self.board.clone(),
            budget: opening.budget,
            copy: Rc::from([]),
            paid: None,
            waiting: Rc::default(),
        })
    }

    fn close(&mut self, session: RomSession) {
        let RomSession { name, waiting, .. } = session;
        drop(waiting);
        self.board.tidy(&name);
    }
}

/// One client's copy: what a [`RomComponent`] makes of a request.
///
/// ```
/// use portcullis_component::Sessions;
/// use portcullis_sessions::rom::{Rom, RomComponent, RomSession};
///
/// fn is_made<S: Sessions<dyn Rom, Session = RomSession>>() {}
/// is_made::<RomComponent>();
/// ```
pub struct RomSession {
    name: String,
    board: Board,
    budget: Budget,
    copy: Rc<[u8]>,
    /// For the copy, out of the client's donation.
    paid: Option<Reservation>,
    waiting: Rc<Waiting>,
}

impl Rom for RomSession {
    fn update(&mut self) -> Result<Version, Error> {
        let (number, content) = (self.board.version(&self.name), self.board.content(&self.name));
        let size = u32::try_from(content.len()).unwrap_or(u32::MAX);
        let needed = RamQuota::bytes(size.into());
        // The old copy is given up for the new one only if there is enough for that.
        let has = self.budget.ram().available().in_bytes();
        let has = has + self.paid.as_ref().map_or(0, |paid| paid.amount().in_bytes());
        if has < needed.in_bytes() {
            return Err(Error::InsufficientRamQuota { missing: RamQuota::bytes(needed.in_bytes() - has) });
        }
        self.paid = None;
        let paid = self.budget.ram().reserve(needed);
        self.paid = Some(paid.map_err(|_| Error::InsufficientRamQuota { missing: needed })?);
        self.copy = content;
        Ok(Version { number, size })
    }

    fn read(&mut self, offset: u32, length: u32) -> Result<Vec<u8>, Error> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let length = usize::try_from(length.min(MAX_READ)).unwrap_or_default();
        let rest = self.copy.get(start..).unwrap_or_default();
        Ok(rest[..length.min(rest.len())].to_vec())
    }

    fn changed(&mut self, number: u64) -> Later<Result<u64, Error>> {
        let now = self.board.version(&self.name);
        if now != number {
            return Later::ready(Ok(now));
        }
        if self.waiting.borrow().is_some() {
            return Later::ready(Err(Error::SessionBusy));
        }
        let (later, reply) = Later::new();
        *self.waiting.borrow_mut() = Some(reply);
        self.board.await_next(&self.name, &self.waiting);
        later
    }
}

impl fmt::Debug for RomComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RomComponent").field(&self.board).finish()
    }
}

impl fmt::Debug for RomSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RomSession").field(&self.name).finish()
    }
}
