//! An honest server under attack, and an honest bystander who must notice nothing.

use super::client::{PATIENCE, RawClient};
use super::socket;
use super::victim::{Process, eventually};
use super::wire::{self, Kind, Row};
use crate::bystander::Report;
use crate::villain::service::{self, Census};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::process::Command;

/// A server, a bystander who calls it without end, and the launcher's rule-abiding raw channels to both.
#[derive(Debug)]
pub struct Town {
    /// The server's process.
    pub server: Process,
    /// The launcher's channel to the server.
    pub launcher: RawClient,
    _bystander: Process,
    to_bystander: RawClient,
    baseline: Holdings,
}

/// What the server's process holds; an attack that failed leaves no trace in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Open descriptors.
    pub descriptors: usize,
    /// Descriptors in epoll sets.
    pub epoll_watches: usize,
    /// Mapped channels.
    pub mappings: usize,
    /// Its own count.
    pub census: Census,
}

impl Town {
    /// Starts the server and the bystander out of the `victim` binary.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(victim: &str) -> io::Result<Town> {
        Town::start_with(victim, &["serve"])
    }

    /// Starts a server with these arguments.
    ///
    /// # Errors
    /// What the system says.
    pub fn start_with(victim: &str, arguments: &[&str]) -> io::Result<Town> {
        let mut command = Command::new(victim);
        command.args(arguments);
        Town::start_as(victim, command)
    }

    /// Starts a server by that command.
    ///
    /// # Errors
    /// What the system says.
    ///
    /// # Panics
    /// If the honest processes do not answer.
    pub fn start_as(victim: &str, command: Command) -> io::Result<Town> {
        let (server, portal) = Process::start(command)?;
        let mut launcher = RawClient::connect(portal)?;
        // Whatever the server starts when it is first needed is started now, and not taken for a leak later.
        let _ = launcher.call(Row::FIRST, service::PORTALS, &[1]).data();
        // The greeting and the portal.
        for _ in 0..2 {
            drop(socket::receive(&launcher.socket, PATIENCE));
        }
        let (bystander, to_bystander) = Town::start_bystander(victim, &mut launcher)?;
        let mut town = Town {
            server,
            launcher,
            _bystander: bystander,
            to_bystander,
            baseline: Holdings { descriptors: 0, epoll_watches: 0, mappings: 0, census: Census::default() },
        };
        // Its memory is mapped when the first of its calls is answered.
        assert!(eventually(|| town.report().calls > 0), "the bystander could not even begin");
        town.baseline = town.holdings();
        // The portal that the bystander came by may not be closed yet.
        for _ in 0..20 {
            town.baseline.descriptors = town.baseline.descriptors.min(town.holdings().descriptors);
        }
        Ok(town)
    }

    /// One more bystander: its process, and our channel to it. It begins to call as soon as it can.
    ///
    /// # Errors
    /// What the system says.
    pub fn start_bystander(victim: &str, launcher: &mut RawClient) -> io::Result<(Process, RawClient)> {
        let mut command = Command::new(victim);
        command.arg("bystand");
        let (process, portal) = Process::start(command)?;
        let mut channel = RawClient::connect(portal)?;
        let to_server = launcher.open(Row::FIRST)?;
        channel.send(&wire::portals(0, 1), &[to_server.as_fd()])?;
        drop(to_server);
        let _ = channel.call_in(0, Row::FIRST, service::WATCH, &[], &[(Kind::Portal, 0)]).data();
        Ok((process, channel))
    }

    /// Has the server and the bystander die of any futex operation that trusts what is in the word.
    ///
    /// # Panics
    /// If the system refuses that.
    pub fn confine(&mut self) {
        assert_eq!(self.launcher.call(Row::FIRST, service::CONFINE, &[]).data(), [1]);
        assert_eq!(self.to_bystander.call(Row::FIRST, service::CONFINE, &[]).data(), [1]);
    }

    /// The socket of a new channel to the server, for a villain.
    ///
    /// # Errors
    /// What the system says.
    pub fn channel(&mut self) -> io::Result<OwnedFd> {
        Ok(socket::ticket(&self.launcher.open(Row::FIRST)?)?.1)
    }

    /// A villain's channel to the server, known to work.
    ///
    /// # Panics
    /// If the system or the server refuses it.
    #[must_use]
    pub fn villain(&mut self) -> RawClient {
        let channel = self.channel().expect("the server takes the portal up");
        let mut villain = RawClient::connect(channel).expect("a villain introduces itself");
        assert!(villain.is_welcome(), "the server takes a new client");
        villain
    }

    /// How the bystander fares.
    #[must_use]
    pub fn report(&mut self) -> Report {
        Town::report_of(&mut self.to_bystander)
    }

    /// How the bystander behind a channel fares.
    #[must_use]
    pub fn report_of(bystander: &mut RawClient) -> Report {
        Report::decode(&bystander.call(Row::FIRST, service::REPORT, &[]).data())
    }

    /// What the server counts.
    #[must_use]
    pub fn census(&mut self) -> Census {
        Census::decode(&self.launcher.call(Row::FIRST, service::CENSUS, &[]).data())
    }

    /// What the server's process holds now.
    #[must_use]
    pub fn holdings(&mut self) -> Holdings {
        // Objects belong to the service and not to whoever asked for them.
        let census = Census { pokes: 0, objects: 0, ..self.census() };
        let (descriptors, epoll_watches) = (self.server.descriptors(), self.server.epoll_watches());
        Holdings { descriptors, epoll_watches, mappings: self.server.channel_mappings(), census }
    }

    /// Waits until the server holds no more than before the attack.
    ///
    /// # Panics
    /// If it goes on holding more.
    pub fn assert_nothing_leaked(&mut self) {
        let baseline = self.baseline;
        let mut now = baseline;
        let same = eventually(|| {
            now = self.holdings();
            Holdings { descriptors: now.descriptors.max(baseline.descriptors), ..now } == baseline
        });
        assert!(same, "the server held {baseline:?} before the attack and holds {now:?} after it");
    }

    /// The attack is over and all villains are gone: the bystander has noticed nothing, still gets through, and the
    /// server holds what it held before.
    ///
    /// # Panics
    /// If it is not so.
    pub fn assert_unharmed(mut self) {
        self.assert_bystander_unharmed();
        self.assert_nothing_leaked();
    }

    /// The bystander has noticed nothing and still gets through.
    ///
    /// # Panics
    /// If it is not so.
    pub fn assert_bystander_unharmed(&mut self) {
        assert!(self.server.is_alive(), "the server has ended");
        let before = self.report().calls;
        assert!(eventually(|| self.report().calls > before), "the bystander gets no answers any more");
        let report = self.report();
        assert_eq!((report.errors, report.first_error.as_str()), (0, ""), "the bystander was disturbed");
    }
}
