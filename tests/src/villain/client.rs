//! The client's side of a channel, by hand.

use super::memory::Memory;
use super::socket;
use super::wire::{self, Kind, Row, State};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

/// How long an honest peer may take to do anything, on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A hostile client of an honest server. What it does by itself follows the rules; the rules are broken by whoever
/// uses it, through its public fields.
#[derive(Debug)]
pub struct RawClient {
    /// The channel's socket.
    pub socket: OwnedFd,
    /// The channel's memory.
    pub memory: Memory,
    /// The last sequence of each lane.
    pub sequences: [u32; wire::LANES],
    /// Messages on the socket so far, doorbells not counted.
    pub sent: u16,
    releases: u64,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A reply.
    Reply {
        /// How the call ended.
        status: u8,
        /// The data.
        data: Vec<u8>,
        /// Kinds and words of the capability slots.
        slots: Vec<(u8, u64)>,
    },
    /// The server closed the channel.
    Closed,
    /// Nothing, for as long as we waited.
    Silence,
}

impl Outcome {
    /// The data of a good reply.
    ///
    /// # Panics
    /// If it is anything else.
    #[must_use]
    pub fn data(self) -> Vec<u8> {
        match self {
            Outcome::Reply { status: wire::status::ANSWERED, data, .. } => data,
            other => panic!("the honest server should have answered: {other:?}"),
        }
    }

    /// The row in the first slot of a good reply.
    ///
    /// # Panics
    /// If it is anything else.
    #[must_use]
    pub fn row(self) -> Row {
        match &self {
            Outcome::Reply { slots, .. } if slots.first().is_some_and(|slot| slot.0 == Kind::Row as u8) => {
                Row::decode(slots[0].1)
            }
            other => panic!("the honest server should have granted a row: {other:?}"),
        }
    }

    /// The status of a reply.
    #[must_use]
    pub fn status(&self) -> Option<u8> {
        match self {
            Outcome::Reply { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl RawClient {
    /// Introduces itself over a channel's socket.
    ///
    /// # Errors
    /// What the system says.
    pub fn connect(channel: OwnedFd) -> io::Result<RawClient> {
        RawClient::connect_with_bell(channel, None)
    }

    /// Comes over from a portal, and introduces itself.
    ///
    /// # Errors
    /// What the system says.
    pub fn come_over(portal: &OwnedFd) -> io::Result<RawClient> {
        RawClient::connect(socket::ticket(portal)?.1)
    }

    /// Introduces itself, with a descriptor as its doorbell.
    ///
    /// # Errors
    /// What the system says.
    pub fn connect_with_bell(portal: OwnedFd, bell: Option<BorrowedFd<'_>>) -> io::Result<RawClient> {
        let (memory, file) = Memory::create(wire::CHANNEL_BYTES)?;
        let descriptors: Vec<BorrowedFd<'_>> = std::iter::once(file.as_fd()).chain(bell).collect();
        socket::send(&portal, &wire::hello(), &descriptors)?;
        Ok(RawClient::over(portal, memory))
    }

    /// A client that was introduced with that memory.
    #[must_use]
    pub fn over(portal: OwnedFd, memory: Memory) -> RawClient {
        RawClient { socket: portal, memory, sequences: [0; wire::LANES], sent: 1, releases: 0 }
    }

    /// Writes a request's head, data and slots into a lane; answers the state word that would publish it.
    pub fn fill(
        &mut self,
        lane: usize,
        target: Row,
        opcode: u32,
        data: &[u8],
        slots: &[(Kind, u64)],
    ) -> State {
        let base = wire::request(lane);
        let head = [target.encode(), opcode.into(), 0, 0];
        for (word, value) in (base + 1..).zip(head) {
            self.memory.store(word, value);
        }
        for (word, chunk) in (base + wire::REQUEST_HEAD..).zip(data.chunks(8)) {
            let mut bytes = [0; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            self.memory.store(word, u64::from_le_bytes(bytes));
        }
        let behind = base + wire::REQUEST_HEAD + data.len().div_ceil(8);
        for (word, (_, value)) in (behind..).zip(slots) {
            self.memory.store(word, *value);
        }
        let kinds: Vec<Kind> = slots.iter().map(|slot| slot.0).collect();
        self.sequences[lane] = self.sequences[lane].wrapping_add(1);
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        State { sequence: self.sequences[lane], length, kinds: wire::kinds(&kinds), ..State::default() }
    }

    /// Publishes a request and makes the server look.
    pub fn publish(&self, lane: usize, state: State) {
        self.memory.store(wire::request(lane), state.encode());
        self.announce(1 << lane);
    }

    /// Makes the server look at what the bits stand for.
    pub fn announce(&self, bits: u64) {
        let before = self.memory.set(wire::PENDING, bits);
        // Who set the bit first rings for it.
        if before & bits != bits && self.memory.load(wire::WATCHED) & wire::AWAKE == 0 {
            self.ring();
        }
    }

    /// Submits a signal as an honest producer does.
    pub fn submit(&self, row: Row) {
        let (word, bit) = wire::signal(row);
        if self.memory.set(word, bit) & bit == 0 {
            self.announce(wire::PENDING_SIGNALS);
        }
    }

    /// Rings; whether there was room for it does not matter.
    pub fn ring(&self) {
        let _ = socket::send(&self.socket, &wire::DOORBELL, &[]);
    }

    /// Waits for the reply to the last request of a lane.
    #[must_use]
    pub fn outcome(&self, lane: usize, patience: Duration) -> Outcome {
        let word = wire::reply(lane);
        let end = Instant::now() + patience;
        let mut turns = 0;
        // The end of a channel wakes nobody here, so naps begin short.
        let mut nap = Duration::from_micros(50);
        loop {
            let seen = self.memory.load(word);
            let state = State::decode(seen);
            if state.sequence == self.sequences[lane] {
                return self.reply(lane, state);
            }
            turns += 1;
            if turns < 200 {
                std::hint::spin_loop();
                continue;
            }
            self.memory.set(wire::WAITING, 1 << lane);
            if self.memory.load(word) == seen {
                self.memory.sleep(word, seen, nap);
                nap = (nap * 2).min(Duration::from_millis(20));
            }
            self.memory.clear(wire::WAITING, 1 << lane);
            if self.memory.load(word) != seen {
                continue;
            }
            if socket::closes(&self.socket, Duration::ZERO) {
                return Outcome::Closed;
            }
            if Instant::now() > end {
                return Outcome::Silence;
            }
        }
    }

    fn reply(&self, lane: usize, state: State) -> Outcome {
        let data = wire::reply(lane) + wire::REPLY_HEAD;
        let words = (state.length as usize).div_ceil(8);
        let mut bytes: Vec<u8> =
            (data..data + words).flat_map(|word| self.memory.load(word).to_le_bytes()).collect();
        bytes.truncate(state.length as usize);
        let slots = (0..4)
            .map(|slot| (state.kinds >> (2 * slot) & 3, self.memory.load(data + words + slot)))
            .take_while(|slot| slot.0 != 0)
            .collect();
        Outcome::Reply { status: state.status, data: bytes, slots }
    }

    /// A whole call in lane 0, as an honest client makes it.
    pub fn call(&mut self, target: Row, opcode: u32, data: &[u8]) -> Outcome {
        self.call_in(0, target, opcode, data, &[])
    }

    /// A whole call, as an honest client makes it; the sockets of portals were sent before.
    pub fn call_in(
        &mut self,
        lane: usize,
        target: Row,
        opcode: u32,
        data: &[u8],
        slots: &[(Kind, u64)],
    ) -> Outcome {
        let state = self.fill(lane, target, opcode, data, slots);
        self.publish(lane, state);
        self.outcome(lane, PATIENCE)
    }

    /// Sends a message that counts.
    ///
    /// # Errors
    /// What the system says.
    pub fn send(&mut self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        socket::send(&self.socket, bytes, descriptors)?;
        self.sent = self.sent.wrapping_add(1);
        Ok(())
    }

    /// Opens a portal to a row; answers the end that is to be given away.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(&mut self, row: Row) -> io::Result<OwnedFd> {
        self.open_by(&wire::open(row))
    }

    /// Opens a portal by that message, which may say more.
    ///
    /// # Errors
    /// What the system says.
    pub fn open_by(&mut self, message: &[u8]) -> io::Result<OwnedFd> {
        let (ours, theirs) = socket::pair()?;
        self.send(message, &[ours.as_fd()])?;
        self.announce(wire::PENDING_SOCKET);
        Ok(theirs)
    }

    /// Gives back grants of a row.
    pub fn release(&mut self, row: Row, grants: u16) {
        let entry = wire::RELEASE_ENTRIES + self.releases as usize % wire::RELEASE_CAPACITY;
        self.memory.store(entry, wire::release(row.index, grants, self.sent));
        self.releases += 1;
        self.memory.store(wire::RELEASE_HEAD, self.releases);
        self.announce(wire::PENDING_RELEASES);
    }

    /// Whether the server closes the channel, as it must.
    #[must_use]
    pub fn is_thrown_out(&self) -> bool {
        socket::closes(&self.socket, PATIENCE)
    }

    /// Whether the channel still stands: a call through it is answered.
    pub fn is_welcome(&mut self) -> bool {
        matches!(self.call(Row::FIRST, crate::villain::service::ECHO, b"still there?"),
            Outcome::Reply { status: wire::status::ANSWERED, data, .. } if data == b"still there?")
    }
}
