//! The server's side of a channel, by hand.

use super::memory::Memory;
use super::socket;
use super::wire::{self, State};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// A hostile server of an honest client. What it does by itself follows the rules.
#[derive(Debug)]
pub struct RawServer {
    /// The channel's socket.
    pub socket: OwnedFd,
    /// The channel's memory, which the client made.
    pub memory: Memory,
    /// The file of the memory.
    pub file: OwnedFd,
    /// The read end of the client's doorbell, if it rings by pipe.
    pub bell: Option<OwnedFd>,
    /// It lives on when its client is gone.
    pub outlives: bool,
    sequences: [u32; wire::LANES],
    kept: Vec<OwnedFd>,
}

/// A request as it lies in its lane.
#[derive(Clone, Debug)]
pub struct Taken {
    /// Its lane.
    pub lane: usize,
    /// Its state word.
    pub state: State,
    /// The method.
    pub opcode: u32,
}

impl RawServer {
    /// Takes the client's introduction out of the socket.
    ///
    /// # Errors
    /// What the system says, or `TimedOut` if no introduction comes.
    pub fn accept(portal: OwnedFd) -> io::Result<RawServer> {
        let (_, descriptors) =
            socket::receive(&portal, super::client::PATIENCE).ok_or(io::ErrorKind::TimedOut)?;
        let mut descriptors = descriptors.into_iter();
        let file = descriptors.next().ok_or(io::ErrorKind::InvalidData)?;
        let memory = Memory::map(&file, wire::CHANNEL_BYTES)?;
        let bell = descriptors.next();
        let (sequences, kept) = ([0; wire::LANES], Vec::new());
        Ok(RawServer { socket: portal, memory, file, bell, outlives: false, sequences, kept })
    }

    /// Takes up a portal whose other end an honest client holds: it is sent the socket of the channel.
    ///
    /// # Errors
    /// What the system says, or `TimedOut` if the client does not introduce itself there.
    pub fn take_up(portal: &OwnedFd, token: u64) -> io::Result<RawServer> {
        let (ours, theirs) = socket::pair()?;
        socket::send(portal, &wire::token(token), &[theirs.as_fd()])?;
        drop(theirs);
        RawServer::accept(ours)
    }

    /// Waits for the next request in any lane; `None` when the client is gone.
    pub fn take(&mut self) -> Option<Taken> {
        loop {
            if let Some(taken) = self.poll() {
                return Some(taken);
            }
            // The doorbell is never listened to: it may be what is under attack.
            if socket::closes(&self.socket, Duration::from_micros(200)) {
                return self.poll();
            }
        }
    }

    /// The next request, if there is one now.
    pub fn poll(&mut self) -> Option<Taken> {
        for lane in 0..wire::LANES {
            let state = State::decode(self.memory.load(wire::request(lane)));
            if state.sequence != self.sequences[lane] {
                self.sequences[lane] = state.sequence;
                let opcode = self.memory.load(wire::request(lane) + 2) as u32;
                return Some(Taken { lane, state, opcode });
            }
        }
        None
    }

    /// The data of a request.
    #[must_use]
    pub fn data(&self, taken: &Taken) -> Vec<u8> {
        let data = wire::request(taken.lane) + wire::REQUEST_HEAD;
        let words = data..data + (taken.state.length as usize).div_ceil(8);
        let mut bytes: Vec<u8> = words.flat_map(|word| self.memory.load(word).to_le_bytes()).collect();
        bytes.truncate(taken.state.length as usize);
        bytes
    }

    /// Keeps a descriptor open for as long as this lives.
    pub fn keep(&mut self, descriptor: OwnedFd) {
        self.kept.push(descriptor);
    }

    /// Publishes a reply's state word and wakes its client.
    pub fn publish(&self, lane: usize, state: State) {
        self.memory.store(wire::reply(lane), state.encode());
        self.memory.wake(wire::reply(lane));
    }

    /// Answers with the request's own data.
    pub fn echo(&self, taken: &Taken) {
        let (from, to) = (wire::request(taken.lane), wire::reply(taken.lane));
        for word in 0..(taken.state.length as usize).div_ceil(8) {
            let value = self.memory.load(from + wire::REQUEST_HEAD + word);
            self.memory.store(to + wire::REPLY_HEAD + word, value);
        }
        let state = State { sequence: taken.state.sequence, length: taken.state.length, ..State::default() };
        self.publish(taken.lane, state);
    }
}
