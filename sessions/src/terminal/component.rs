//! The server's side of two terminals that face each other: what is written to the one is read from the other.

use super::link::{Count, Link, Wired};
use super::{Buffers, Size, Terminal};
use portcullis_component::{Error, Opening, Quota, Sessions};
use portcullis_rpc::{Later, SignalCapability};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

/// Serves two sessions, linked crosswise. A third is denied until one of them is closed. Clones are the same link.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Error};
/// use portcullis_sessions::terminal::{CrosslinkComponent, Size, Terminal, TerminalConnection};
///
/// let size = with_server(
///     |env: Env| {
///         let link = CrosslinkComponent::default();
///         link.resize(Size { columns: 132, lines: 50 });
///         env.announce::<dyn Terminal, _>(link)
///     },
///     |env| TerminalConnection::new(env, "")?.size(),
/// )?;
/// assert_eq!(size, Size { columns: 132, lines: 50 });
/// # Ok::<_, Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CrosslinkComponent(Rc<RefCell<Link>>);

impl CrosslinkComponent {
    /// Has both ends be so large from now on, which they are signalled.
    pub fn resize(&self, size: Size) {
        self.0.borrow_mut().resize(size);
    }
}

impl Sessions<dyn Terminal> for CrosslinkComponent {
    type Session = CrosslinkSession;

    /// Beside the object, two buffers and two contexts that it signals.
    fn needs(&self, (): &()) -> Quota {
        Quota::new(1024, 5)
    }

    fn create(&mut self, opening: Opening<()>) -> Result<CrosslinkSession, Error> {
        let mut link = self.0.borrow_mut();
        let place = link.free_end().ok_or_else(|| Error::denied("terminal", "both ends are taken"))?;
        link.open(place, Wired::new(&opening.budget)?);
        Ok(CrosslinkSession { place, link: self.0.clone() })
    }

    fn close(&mut self, session: CrosslinkSession) {
        self.0.borrow_mut().close(session.place);
    }
}

/// One end: what a [`CrosslinkComponent`] makes of a request.
///
/// ```
/// use portcullis_component::Sessions;
/// use portcullis_sessions::terminal::{CrosslinkComponent, CrosslinkSession, Terminal};
///
/// fn is_made<S: Sessions<dyn Terminal, Session = CrosslinkSession>>() {}
/// is_made::<CrosslinkComponent>();
/// ```
pub struct CrosslinkSession {
    place: usize,
    link: Rc<RefCell<Link>>,
}

impl Terminal for CrosslinkSession {
    fn size(&mut self) -> Result<Size, Error> {
        Ok(self.link.borrow().size())
    }

    fn buffers(&mut self) -> Result<Buffers, Error> {
        let mut link = self.link.borrow_mut();
        let session = link.session(self.place)?;
        Ok(Buffers { input: session.input.capability().into(), output: session.output.capability().into() })
    }

    fn available(&mut self, position: u64) -> Result<u32, Error> {
        Ok(self.link.borrow().available(self.place, position))
    }

    fn read(&mut self, position: u64) -> Later<Count> {
        self.link.borrow_mut().read(self.place, position)
    }

    fn write(&mut self, length: u32) -> Later<Count> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.link.borrow_mut().write(self.place, length)
    }

    fn read_signal(&mut self, context: SignalCapability) -> Result<(), Error> {
        self.link.borrow_mut().signal_reads(self.place, context)
    }

    fn size_signal(&mut self, context: SignalCapability) -> Result<(), Error> {
        self.link.borrow_mut().signal_sizes(self.place, context)
    }
}

impl fmt::Debug for CrosslinkSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CrosslinkSession").field(&self.place).finish()
    }
}
