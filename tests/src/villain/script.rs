//! What a hostile server is told to do instead of answering: a list of steps in the data of a request.

use super::server::{RawServer, Taken};
use super::wire::{self, State};
use super::{memory, socket};
use rustix::fs::FallocateFlags;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

/// The method under which a villain takes a script; it answers all others like an echo.
pub const RUN: u32 = 100;

/// A kind of descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    /// One end of a socket pair, as a portal is.
    Socket,
    /// A pipe.
    Pipe,
    /// A TCP socket whose close takes two minutes, or until the villain is gone.
    Slow,
    /// A page as an entrypoint shares it.
    Page,
    /// A page that is not sealed against later writers.
    OpenPage,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Sends these bytes with so many descriptors.
    Send(Vec<u8>, u8, Thing),
    /// Publishes a reply in the lane so far from that of the request and with a sequence so far from it; length,
    /// kinds and status are alleged.
    Publish {
        /// Lanes from the request's.
        lane: u8,
        /// Calls from the request's.
        sequence: i32,
        /// Alleged bytes of data.
        length: u16,
        /// Alleged kinds of slots.
        kinds: u8,
        /// Alleged status.
        status: u8,
    },
    /// Sends the sockets of the request's portals: so many.
    Portals(u8),
    /// From now on sends doorbells without end.
    Flood,
    /// From now on writes garbage over the replies' states, and wakes everybody.
    Garbage,
    /// From now on changes length and kinds of the request's reply, again and again.
    Tamper,
    /// Ends at once.
    Die,
    /// Closes the channel and lives on.
    HangUp,
    /// Frees the pages of the client's memory.
    Punch,
    /// Fills the client's doorbell, makes it block, and steals from it.
    SpoilBell,
    /// Keeps copies of both ends of the next portal, fills it, and never serves it.
    DeadPortal,
    /// Sends a [`Thing::Slow`] over the portal that came with the request, and closes that.
    SlowPortal,
    /// Lives on for two minutes when its client is gone.
    Outlive,
}

/// A reply that is good, without data.
pub const ANSWER: Step = Step::Publish { lane: 0, sequence: 0, length: 0, kinds: 0, status: 0 };

impl Step {
    /// Appends the step to a script.
    pub fn encode(&self, script: &mut Vec<u8>) {
        match self {
            Step::Send(bytes, descriptors, thing) => {
                script.extend([0, bytes.len() as u8, *descriptors, *thing as u8]);
                script.extend(bytes);
            }
            Step::Publish { lane, sequence, length, kinds, status } => {
                script.extend([1, *lane, *kinds, *status]);
                script.extend(sequence.to_le_bytes());
                script.extend(length.to_le_bytes());
            }
            Step::Portals(count) => script.extend([2, *count]),
            Step::Flood => script.push(3),
            Step::Garbage => script.push(4),
            Step::Tamper => script.push(5),
            Step::Die => script.push(6),
            Step::HangUp => script.push(7),
            Step::Punch => script.push(8),
            Step::SpoilBell => script.push(9),
            Step::DeadPortal => script.push(10),
            Step::SlowPortal => script.push(11),
            Step::Outlive => script.push(12),
        }
    }

    /// Takes the first step off a script; `None` at its end.
    #[must_use]
    pub fn decode(script: &[u8]) -> Option<(Step, &[u8])> {
        let (kind, rest) = script.split_first()?;
        Some(match kind {
            0 => {
                let ([length, descriptors, thing], rest) = rest.split_first_chunk()?;
                let (bytes, rest) = rest.split_at_checked((*length).into())?;
                let thing = [Thing::Socket, Thing::Pipe, Thing::Slow, Thing::Page, Thing::OpenPage]
                    [usize::from(*thing)];
                (Step::Send(bytes.to_vec(), *descriptors, thing), rest)
            }
            1 => {
                let ([lane, kinds, status], rest) = rest.split_first_chunk()?;
                let (sequence, rest) = rest.split_first_chunk()?;
                let (length, rest) = rest.split_first_chunk()?;
                let (sequence, length) = (i32::from_le_bytes(*sequence), u16::from_le_bytes(*length));
                (Step::Publish { lane: *lane, sequence, length, kinds: *kinds, status: *status }, rest)
            }
            2 => {
                let (count, rest) = rest.split_first()?;
                (Step::Portals(*count), rest)
            }
            3 => (Step::Flood, rest),
            4 => (Step::Garbage, rest),
            5 => (Step::Tamper, rest),
            6 => (Step::Die, rest),
            7 => (Step::HangUp, rest),
            8 => (Step::Punch, rest),
            9 => (Step::SpoilBell, rest),
            10 => (Step::DeadPortal, rest),
            11 => (Step::SlowPortal, rest),
            _ => (Step::Outlive, rest),
        })
    }
}

impl RawServer {
    /// Serves until the client is gone: runs scripts, and echoes the rest.
    ///
    /// # Errors
    /// What the system says.
    pub fn serve(mut self) -> io::Result<()> {
        while let Some(taken) = self.take() {
            if taken.opcode != RUN {
                self.echo(&taken);
                continue;
            }
            let script = self.data(&taken);
            let mut rest = script.as_slice();
            while let Some((step, behind)) = Step::decode(rest) {
                self.run(&taken, step)?;
                rest = behind;
            }
        }
        if self.outlives {
            std::thread::sleep(Duration::from_secs(120));
        }
        Ok(())
    }

    fn run(&mut self, taken: &Taken, step: Step) -> io::Result<()> {
        let reply = wire::reply(taken.lane);
        match step {
            Step::Send(bytes, count, thing) => {
                let things = (0..count).map(|_| self.make(thing)).collect::<io::Result<Vec<_>>>()?;
                let borrowed: Vec<_> = things.iter().map(AsFd::as_fd).collect();
                socket::send(&self.socket, &bytes, &borrowed)?;
            }
            Step::Publish { lane, sequence, length, kinds, status } => {
                let lane = (taken.lane + usize::from(lane)) % wire::LANES;
                let sequence = taken.state.sequence.wrapping_add_signed(sequence);
                self.publish(lane, State { sequence, length: length.into(), kinds, status, core: 0 });
            }
            Step::Portals(count) => {
                let tag = wire::portals(taken.lane, taken.state.sequence).to_vec();
                self.run(taken, Step::Send(tag, count, Thing::Socket))?;
            }
            Step::Flood => {
                let socket = self.socket.try_clone()?;
                std::thread::spawn(move || {
                    loop {
                        let _ = socket::send(&socket, &wire::DOORBELL, &[]);
                    }
                });
            }
            Step::Garbage => {
                let memory = self.memory.clone();
                std::thread::spawn(move || {
                    for garbage in 1 << 31.. {
                        for lane in 0..wire::LANES {
                            memory.store(wire::reply(lane), garbage);
                            memory.wake(wire::reply(lane));
                        }
                    }
                });
            }
            Step::Tamper => {
                let (memory, sequence) = (self.memory.clone(), taken.state.sequence);
                std::thread::spawn(move || {
                    loop {
                        for (length, kinds) in
                            [(1024, 0), (8, 0), (2047, 0), (0, 0b11), (1024, 0b01), (8, 0b10)]
                        {
                            let state = State { sequence, length, kinds, ..State::default() };
                            memory.store(reply, state.encode());
                            memory.wake(reply);
                        }
                    }
                });
            }
            Step::Die => {
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)?;
            }
            Step::HangUp => rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Both)?,
            Step::Punch => {
                let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
                rustix::fs::fallocate(&self.file, flags, 0, wire::CHANNEL_BYTES as u64)?;
            }
            Step::SpoilBell => self.spoil_bell()?,
            Step::DeadPortal => {
                let (theirs, ours) = socket::pair()?;
                let tag = wire::portals(taken.lane, taken.state.sequence);
                socket::send(&self.socket, &tag, &[theirs.as_fd()])?;
                socket::make_blocking(&theirs)?;
                self.keep(theirs.try_clone()?);
                self.keep(ours);
                std::thread::spawn(move || {
                    // Room for an introduction is left at first, and taken away when it has been used.
                    std::thread::sleep(Duration::from_millis(50));
                    loop {
                        let _ = socket::send(&theirs, &wire::DOORBELL, &[]);
                    }
                });
            }
            Step::Outlive => self.outlives = true,
            Step::SlowPortal => {
                let mut messages =
                    std::iter::from_fn(|| socket::receive(&self.socket, super::client::PATIENCE));
                let portal = messages.find_map(|(bytes, portals)| {
                    portals.into_iter().next().filter(|_| bytes.starts_with(&wire::portals(0, 0)[..2]))
                });
                let slow = self.make(Thing::Slow)?;
                socket::send(&portal.ok_or(io::ErrorKind::TimedOut)?, &wire::DOORBELL, &[slow.as_fd()])?;
            }
        }
        Ok(())
    }

    /// One descriptor, and whatever must be kept for it.
    fn make(&mut self, thing: Thing) -> io::Result<OwnedFd> {
        let (given, kept) = match thing {
            Thing::Socket => socket::pair()?,
            Thing::Pipe => rustix::pipe::pipe()?,
            Thing::Slow => socket::lingering(120)?,
            Thing::Page => (memory::page_file(4096)?, memory::page_file(4096)?),
            Thing::OpenPage => (memory::sealed_file(4096)?, memory::sealed_file(4096)?),
        };
        if thing == Thing::Slow {
            self.keep(kept);
        }
        Ok(given)
    }

    fn spoil_bell(&mut self) -> io::Result<()> {
        let Some(bell) = self.bell.take() else { return Ok(()) };
        // A description of its own, to write by; the one that is shared with the client, to make it block.
        let path = format!("/proc/self/fd/{}", bell.as_raw_fd());
        let writer: OwnedFd = std::fs::OpenOptions::new().write(true).open(path)?.into();
        rustix::io::ioctl_fionbio(&writer, true)?;
        std::thread::spawn(move || {
            loop {
                let _ = socket::make_blocking(&bell);
                while rustix::io::write(&writer, &[0; 4096]).is_ok() {}
                while rustix::io::write(&writer, &[0]).is_ok() {}
            }
        });
        Ok(())
    }
}
