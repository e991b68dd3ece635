//! Who gets a port, what clients say beside requests, and the end of ports.

use super::Server;
use super::accounts::Opener;
use super::home::Post;
use super::port::{End, Ended, Port};
use super::rows::Row;
use crate::allowance::Allowance;
use crate::badge::Badge;
use crate::error::Error;
use crate::pd::peer_descriptor::PeerDescriptor;
use crate::pd::watcher::HangUp;
use crate::sys::memory::Words;
use crate::sys::{pipe, socket};
use crate::transport::local::LocalTransport;
use crate::transport::socket::{Drained, News, SocketTransport};
use crate::wire::control::Control;
use crate::wire::head::RowName;
use crate::wire::layout;
use rustix::event::epoll;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Weak};

/// Messages that are read from one socket before others have their turn.
const MESSAGES_AT_ONCE: usize = 32;

impl Server {
    /// Does what other threads left for us.
    #[cold]
    pub(super) fn attend(&mut self) {
        while let Some(post) = self.home.next_post() {
            match post {
                Post::Adopt(taken_up, badge) => self.admit(taken_up, badge, None),
                Post::Local(words, transport) => self.admit_here(words, transport),
                Post::Ended(name) => self.read_socket(name),
                Post::Wake => self.woken = true,
                Post::Feed => self.feed(),
                Post::LetGo(badge) => self.ledger.let_go(badge),
                Post::Signals => self.ledger.take_signals_of_here(),
            }
        }
    }

    /// The one channel within the process: it takes no client's place, and has one however many clients there are.
    fn admit_here(&mut self, words: Words, transport: LocalTransport) {
        let Some(name) = self.ports.next_name() else { return };
        self.ports.insert(Port::new(name, End::Local(transport), Some(words.clone())));
        self.insight.add(name, words);
        self.local = Some(name);
        self.heat(name);
    }

    /// Makes a channel's socket a port whose first row is the object.
    pub(super) fn adopt(
        &mut self,
        socket: PeerDescriptor,
        badge: Badge,
        opener: Option<Opener>,
    ) -> Result<RowName, Error> {
        let socket = Arc::new(socket);
        let (pd, home) = (self.pd.clone(), self.home.clone());
        let of_port = socket.clone();
        let name = self.insert_port(|name| {
            let ended = Arc::new(Ended { home, port: name });
            let hang_up = Arc::<Ended>::downgrade(&ended) as Weak<dyn HangUp>;
            let watch = pd.watcher()?.watch(of_port.clone(), hang_up)?;
            let transport = Box::new(SocketTransport::new(pd.clone(), of_port));
            Ok(Port::new(name, End::Socket { transport, _watch: watch, _ended: ended }, None))
        });
        let name = name.inspect_err(|_| socket::hang_up(socket.as_fd()))?;
        // Whom nobody has introduced but this process itself has all that one client may have.
        let all = self.ledger.limits().of_an_account();
        let (opener, allowance) = opener.map_or((None, all), |it| (it.port, it.allowance));
        let Some(port) = self.ports.get_mut(name) else { return Err(Error::Disconnected) };
        let opened = self.ledger.accounts_mut().open(name, opener, allowance);
        let ready = opened
            .and_then(|()| port.grant(badge, &mut self.ledger))
            .and_then(|_| add_event(&self.epoll, socket.as_fd(), name.encode()));
        match ready {
            Ok(()) => Ok(name),
            Err(error) => {
                self.close(name, &error);
                Err(error)
            }
        }
    }

    /// Adds a client's port under the name that it is told.
    fn insert_port(&mut self, make: impl FnOnce(RowName) -> Result<Port, Error>) -> Result<RowName, Error> {
        let clients = self.ports.len() - u32::from(self.local.is_some());
        if clients >= self.ledger.limits().channels {
            return Err(Error::BudgetExceeded);
        }
        let name = self.ports.next_name().ok_or(Error::BudgetExceeded)?;
        let port = make(name)?;
        self.ports.insert(port).ok_or(Error::BudgetExceeded)
    }

    /// Reads a port's socket for a moment and does what it says; then what had to wait for that.
    pub(super) fn read_socket(&mut self, name: RowName) {
        let Some(port) = self.ports.get_mut(name) else { return };
        let drained = port.drain(MESSAGES_AT_ONCE);
        self.take_news(name);
        self.shut_entrance(name);
        let Some(port) = self.ports.get_mut(name) else { return };
        let result = match drained {
            Ok(Drained::Empty) => port.resume_releases(&mut self.ledger).map(|waits| {
                if waits {
                    self.read_later(name);
                }
            }),
            Ok(Drained::Closed) => Err(Error::Disconnected),
            Ok(Drained::NoRoom) => {
                self.starve(name);
                Ok(())
            }
            Ok(Drained::More) => {
                self.read_later(name);
                Ok(())
            }
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            self.close(name, &error);
        }
    }

    /// Reads on when others have had their turn.
    fn read_later(&mut self, name: RowName) {
        if !self.unread.contains(&name) {
            self.unread.push_back(name);
        }
    }

    /// Introductions and openings.
    pub(super) fn take_news(&mut self, name: RowName) {
        let Some(port) = self.ports.get_mut(name) else { return };
        for next in std::mem::take(&mut port.news) {
            let result = match next {
                News::Hello(memory, bell) => self.introduce(name, memory, bell),
                News::Open(row, portal, greeted, allowance) => {
                    self.open(name, allowance, row, portal, greeted)
                }
                News::Greeting(..) | News::Token(..) | News::Refusal => {
                    Err(Error::Violation("a client sent what only an entrypoint sends"))
                }
            };
            if let Err(error) = result {
                return self.close(name, &error);
            }
        }
    }

    fn introduce(
        &mut self,
        name: RowName,
        memory: PeerDescriptor,
        bell: Option<PeerDescriptor>,
    ) -> Result<(), Error> {
        let words = Words::foreign(memory.as_fd())?;
        memory.close();
        if bell.as_ref().is_some_and(|bell| !pipe::is_pipe(bell.as_fd())) {
            return Err(Error::Violation("the doorbell is no pipe"));
        }
        let Some(port) = self.ports.get_mut(name) else { return Ok(()) };
        port.introduce(words.clone(), bell)?;
        self.insight.add(name, words);
        if let Some(bell) = port.bell() {
            // Watched but never read: who shares it can make a read block.
            add_event(&self.epoll, bell.as_fd(), name.encode())?;
        }
        // What it published before we knew its memory, it announced in its pending word at the latest.
        port.watch();
        self.heat(name);
        Ok(())
    }

    /// Opens a portal to what the row names. A row that names nothing is no violation: the object may have been
    /// dissolved meanwhile. The portal is closed then, and its holder finds a dead capability. Who opens more than his account
    /// has is no violation either: whom he has introduced may have spent it.
    fn open(
        &mut self,
        opener: RowName,
        allowance: Allowance,
        row: RowName,
        portal: PeerDescriptor,
        greeted: bool,
    ) -> Result<(), Error> {
        if !socket::is_portal(portal.as_fd()) {
            return Err(Error::Violation("a portal came that is no connected Unix socket"));
        }
        let Some(port) = self.ports.get_mut(opener) else { return Ok(()) };
        let Some(badge) = port.rows().get(row).and_then(Row::badge) else {
            return Ok(());
        };
        let row = Allowance::row(badge.is_context());
        let accounts = self.ledger.accounts();
        if !allowance.covers(row) || !accounts.covers(opener, row.and(Allowance::CHANNEL)) {
            // If there is no room, he finds a dead capability and not the reason.
            let _ = socket::send(portal.as_fd(), &Control::Refusal.encode(), &[]);
            socket::hang_up(portal.as_fd());
            return Ok(());
        }
        if !greeted {
            self.home.greet(portal.as_fd());
        }
        self.take_up(portal, badge, Some(Opener { port: Some(opener), allowance }));
        Ok(())
    }

    /// Ends a port: its rows, its memory and its descriptors.
    pub(super) fn close(&mut self, name: RowName, reason: &Error) {
        let Some(port) = self.ports.remove(name) else { return };
        self.violations += u64::from(matches!(reason, Error::Violation(_)));
        // What was submitted before the end counts: its handlers run whether or not whoever submitted it lives.
        if !matches!(reason, Error::Violation(_)) {
            port.take_signals(layout::PENDING_SIGNALS, &mut self.ledger);
        }
        let opener = self.ledger.close(name, port.rows());
        self.starving.inherit(name, opener);
        self.insight.remove(name);
        port.token.map(|token| self.tokens.remove(&token));
        self.hot.retain(|hot| *hot != name);
        // Deregistered before they are hung up on and closed, which is when the port is dropped: a duplicate that somebody else holds
        // would go on firing (epoll(7)).
        for socket in port.sockets() {
            let _ = epoll::delete(&self.epoll, socket);
        }
        if let Some(bell) = port.bell() {
            let _ = epoll::delete(&self.epoll, bell);
        }
        self.parent_gone |= self.parent == Some(name);
        self.local.take_if(|local| *local == name);
    }
}

pub(super) fn add_event(epoll: &OwnedFd, source: BorrowedFd<'_>, data: u64) -> Result<(), Error> {
    let events = epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::ET;
    epoll::add(epoll, source, epoll::EventData::new_u64(data), events).map_err(Error::system("epoll_ctl"))
}
