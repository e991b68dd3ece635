//! The counter component: the sink of a packet stream, driven by signals, and what it has counted, fetched by calls.
//!
//! It calls nobody. Whether a watcher is slow or has ended makes no difference to it.

use super::Failed;
use super::interface::{Count, Feed, State, geometry};
use crate::wordcount::{WordCounter, WordRule};
use portcullis_component::{Env, Error, Opening, Sessions};
use portcullis_entrypoint::{Entrypoint, SignalLevel};
use portcullis_packet_stream::{Error as StreamError, Received, Sink, Unacknowledged};
use portcullis_rpc::{self as rpc, DataspaceCapability, SignalCapability};
use portcullis_shm::{Dataspace, RamAllocator, Window};
use std::cell::RefCell;
use std::rc::Rc;

/// Watchers at one time.
const MOST_WATCHERS: usize = 16;

/// Runs the component.
///
/// # Errors
/// Why it has failed.
pub fn construct(env: &Env) -> Result<(), Failed> {
    let tally = Rc::<RefCell<Tally>>::default();
    env.announce::<dyn Feed, _>(Feeds(tally.clone()))?;
    env.announce::<dyn Count, _>(Counts(tally))?;
    Ok(())
}

/// What was counted, and who is told when it changes.
struct Tally {
    counter: WordCounter,
    is_done: bool,
    watchers: Vec<SignalCapability>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally { counter: WordCounter::new(WordRule::Utf8), is_done: false, watchers: Vec::new() }
    }
}

impl Tally {
    fn tell(&self) {
        self.watchers.iter().for_each(SignalCapability::submit);
    }
}

struct Feeds(Rc<RefCell<Tally>>);

impl Sessions<dyn Feed> for Feeds {
    type Session = FeedSession;

    fn create(&mut self, opening: Opening<()>) -> Result<FeedSession, Error> {
        let denied = |_| Error::denied("tour.feed", "there is no room for the stream");
        let geometry = geometry().map_err(denied)?;
        // Paid for by the client; ours, so that it can be freed by nobody else.
        let memory = RamAllocator::new(opening.budget.ram());
        let made = memory
            .alloc(geometry.bytes::<()>())
            .map_err(StreamError::from)
            .and_then(|dataspace| Ok((Sink::new(dataspace.attach(Window::WHOLE)?, geometry)?, dataspace)));
        let (sink, dataspace) = made.map_err(denied)?;
        Ok(FeedSession {
            sink,
            counted: None,
            packets: None,
            dataspace,
            tally: self.0.clone(),
            env: opening.env,
        })
    }

    /// A client that is done may close its session before the signals that it sent last are seen, and these end with the session.
    fn close(&mut self, mut session: FeedSession) {
        // Whether it broke the stream's rules makes no difference now.
        let _ = session.take();
        let mut tally = self.0.borrow_mut();
        tally.is_done = true;
        tally.tell();
    }
}

/// The sink of one client's stream.
struct FeedSession {
    sink: Sink<()>,
    /// What was counted and could not be acknowledged yet.
    counted: Option<Received<()>>,
    /// Says that there is something to count: the client does, and the session itself if there is more.
    packets: Option<SignalCapability>,
    dataspace: Dataspace,
    tally: Rc<RefCell<Tally>>,
    env: Env,
}

impl Feed for FeedSession {
    fn stream(&mut self) -> Result<(DataspaceCapability, SignalCapability), Error> {
        // Once: a context lives as long as its session, whoever asks for it again and again.
        let packets = match &self.packets {
            Some(packets) => packets,
            None => {
                let take = |feed: &mut FeedSession, _: &Entrypoint| feed.take_a_turn();
                let packets = self.env.entrypoint().handle_signal_here(SignalLevel::Application, take);
                self.packets.insert(packets.map_err(|_| rpc::Error::Disconnected)?)
            }
        };
        // The stream may have begun before there was anybody to tell.
        packets.submit();
        Ok((self.dataspace.capability().into(), packets.clone()))
    }
}

impl FeedSession {
    /// Counts what has come. What comes meanwhile has its turn after others.
    fn take_a_turn(&mut self) {
        let went = self.take().and_then(|()| self.sink.pending());
        let ended = went.is_err();
        if went.is_ok_and(|pending| pending != 0 && self.counted.is_none()) {
            self.packets.iter().for_each(SignalCapability::submit);
        }
        let mut tally = self.tally.borrow_mut();
        tally.is_done |= ended;
        tally.tell();
    }

    /// An error says that no more will come, because the client is done, or has broken the stream's rules.
    fn take(&mut self) -> Result<(), StreamError> {
        let mut left = self.sink.pending()?;
        while left != 0 || self.counted.is_some() {
            let packet = match self.counted.take() {
                Some(packet) => packet,
                None => match self.sink.try_get()? {
                    Some(packet) => self.count(packet)?,
                    None => break,
                },
            };
            left = left.saturating_sub(1);
            match self.sink.try_acknowledge(packet, ()) {
                Ok(()) => {}
                // The client does not take what comes back. When it does, it signals.
                Err(Unacknowledged { packet, reason: StreamError::QueueFull }) => {
                    self.counted = Some(packet);
                    break;
                }
                Err(failed) => return Err(failed.reason),
            }
        }
        self.sink.wakeup()
    }

    fn count(&mut self, packet: Received<()>) -> Result<Received<()>, StreamError> {
        let mut tally = self.tally.borrow_mut();
        // The client may write it at any time: what is counted is a copy.
        self.sink.content(&packet)?.view().for_each_block(|_, block| tally.counter.add(block))?;
        Ok(packet)
    }
}

struct Counts(Rc<RefCell<Tally>>);

impl Sessions<dyn Count> for Counts {
    type Session = CountSession;

    fn create(&mut self, _: Opening<()>) -> Result<CountSession, Error> {
        Ok(CountSession(self.0.clone()))
    }
}

struct CountSession(Rc<RefCell<Tally>>);

impl Count for CountSession {
    fn state(&mut self) -> Result<State, Error> {
        let tally = self.0.borrow();
        Ok(State { counts: tally.counter.counts(), is_done: tally.is_done })
    }

    fn sigh(&mut self, context: SignalCapability) -> Result<(), Error> {
        let watchers = &mut self.0.borrow_mut().watchers;
        if watchers.len() >= MOST_WATCHERS {
            return Err(Error::denied("tour.count", "too many watch already"));
        }
        // The state may have changed before it could be told.
        context.submit();
        watchers.push(context);
        Ok(())
    }
}
