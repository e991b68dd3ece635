//! The server's side of a channel whose whole memory is the fuzzer's, against a model of what must come of it.

use super::caller::Ticket;
use super::contexts::SignalLevel;
use super::home::Home;
use super::ledger::Ledger;
use super::limits::Limits;
use super::port::{End, Port};
use super::rows::Row;
use crate::badge::Badge;
use crate::error::Error;
use crate::fuzzing::Script;
use crate::message::{MAX_CAPABILITIES, MsgBuf};
use crate::pd::Pd;
use crate::protocol::release_ring::Release;
use crate::sys::memory::Words;
use crate::transport::Transport;
use crate::transport::local::LocalTransport;
use crate::wire::control::Tag;
use crate::wire::head::{self, Request, RowName, State, Status};
use crate::wire::layout::{self, LANES, LaneId, RELEASE_CAPACITY};
use crate::wire::signal::{self, Signal};
use crate::wire::slot::Slot;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};

static PD: LazyLock<Pd> = LazyLock::new(|| Pd::new().expect("a domain needs nothing"));

thread_local! {
    /// Used again: to clear it is faster than to map another.
    static WORDS: Words = Words::private().expect("there is memory for a channel");
}

/// The port's own name.
const NAME: RowName = RowName::FIRST;
/// Objects that can be granted.
const OBJECTS: usize = 4;
/// Signal contexts that can be granted.
const CONTEXTS: usize = 3;
/// Not all of them at once.
const LIMITS: Limits = Limits { rows: 4, contexts: 2, channels: 1, portals: 0 };

/// Lets a client write what it likes between the server's steps.
pub fn port(data: &[u8]) {
    let mut script = Script::new(data);
    let mut world = World::new().expect("the system has what a server needs");
    while !script.is_done() && !world.closed {
        world.step(&mut script);
        assert_eq!(world.port.rows().len() as usize, world.model.grants.len());
    }
    world.end();
}

struct World {
    home: Arc<Home>,
    words: Words,
    client: LocalTransport,
    port: Port,
    ledger: Ledger,
    objects: [Badge; OBJECTS],
    contexts: [Badge; CONTEXTS],
    message: MsgBuf,
    /// Every call that was taken; the open ones are in the model.
    tickets: Vec<Ticket>,
    model: Model,
    /// The client broke the protocol.
    closed: bool,
}

/// What the port should hold.
#[derive(Default)]
struct Model {
    /// By the row's index.
    grants: HashMap<u32, u32>,
    held: Option<Release>,
    tail: u64,
    open: Vec<Ticket>,
    /// How many capabilities lie beside which message, in the order of a basket.
    carried: Vec<(Tag, usize)>,
}

impl World {
    fn new() -> Result<World, Error> {
        let home = Arc::new(Home::new(&PD)?);
        let words = WORDS.with(Words::clone);
        words.iter().for_each(|word| word.store(0, Ordering::Relaxed));
        let (client, ours) = LocalTransport::pair(home.bell());
        let port = Port::new(NAME, End::Local(ours), Some(words.clone()));
        let mut ledger = Ledger::new(home.clone(), LIMITS);
        let mut objects = [Badge(NAME); OBJECTS];
        for object in &mut objects {
            *object = ledger.mint()?;
        }
        ledger.count(objects[0]);
        let mut contexts = [Badge(NAME); CONTEXTS];
        for context in &mut contexts {
            *context = ledger.mint_context(SignalLevel::default())?;
        }
        let (message, tickets, model) = (MsgBuf::new(), Vec::new(), Model::default());
        let closed = false;
        Ok(World { home, words, client, port, ledger, objects, contexts, message, tickets, model, closed })
    }

    fn step(&mut self, script: &mut Script<'_>) {
        match script.byte() % 13 {
            0 => self.store(script.below(self.words.len()), script.word()),
            1 | 2 => self.write_request(script),
            3 => self.carry(script),
            4 => self.write_release(script),
            5 => self.grant(script),
            6 => self.dissolve(script),
            7 => self.take_releases(),
            8 => self.take_pending(),
            9 => self.reply(script),
            10 => self.change_watch(script),
            11 => self.submit(script),
            _ => self.take(),
        }
    }

    /// The end of the port, and all that it held.
    fn end(self) {
        let World { home, port, mut ledger, client, message, .. } = self;
        ledger.close(NAME, port.rows());
        client.hang_up();
        drop((port, client, message));
        assert_eq!(Arc::strong_count(&home), 2, "capabilities are neither lost nor doubled");
        drop(ledger);
    }

    fn violated(&mut self, error: &Error) {
        assert!(matches!(error, Error::Violation(_)), "{error:?}");
        self.closed = true;
    }
}

/// What the client does.
impl World {
    fn store(&self, word: usize, value: u64) {
        self.words[word].store(value, Ordering::Relaxed);
    }

    fn lane(script: &mut Script<'_>) -> LaneId {
        LaneId::in_set(1 << (script.byte() % layout::LANE_COUNT)).next().expect("a lane")
    }

    /// A name that is often right.
    fn name(&self, script: &mut Script<'_>) -> RowName {
        match script.byte() {
            choice @ 0..=127 => self.objects[usize::from(choice) % OBJECTS].0,
            choice @ 128..=191 => self.port.rows().name_at(u32::from(choice) % 4).unwrap_or(NAME),
            choice @ 192..=223 => self.contexts[usize::from(choice) % CONTEXTS].0,
            _ => RowName::decode(script.word()),
        }
    }

    /// The index of a row that there may be.
    fn row(script: &mut Script<'_>) -> u32 {
        match script.byte() % 8 {
            object @ 0..=3 => object.into(),
            context => RowName::CONTEXTS - 3 + u32::from(context),
        }
    }

    /// A signal of a row that there may be, or of any; announced, or not, or as another.
    fn submit(&mut self, script: &mut Script<'_>) {
        let signal = match script.byte() {
            0..=239 => Signal::of(World::row(script)),
            _ => Signal::of(RowName::CONTEXTS + u32::from(script.half())),
        };
        let Some(signal) = signal else { return };
        self.words[signal.word()].fetch_or(signal.bit(), Ordering::Relaxed);
        let announced = match script.byte() {
            0..=191 => signal.pending(),
            192..=223 => 0,
            _ => u64::from(script.byte()) << layout::SIGNALS_SHIFT,
        };
        self.words[layout::PENDING].fetch_or(announced, Ordering::Relaxed);
    }

    /// A request that is often well formed; its length and its kinds need not be.
    fn write_request(&mut self, script: &mut Script<'_>) {
        let lane = World::lane(script);
        let first = lane.request();
        let sequence = self.words[first].load(Ordering::Relaxed).wrapping_add(u64::from(script.byte() % 4));
        let length = match script.byte() {
            short @ 0..=199 => u64::from(short) % 48,
            _ => u64::from(script.half() & 0x7ff),
        };
        let kinds = script.byte();
        let request = Request::decode([self.name(script).encode(), script.word(), 7, 9]);
        for (word, value) in request.encode().into_iter().enumerate() {
            self.store(first + 1 + word, value);
        }
        let behind = first + layout::REQUEST_HEAD + usize::try_from(length).unwrap_or(0).div_ceil(8);
        for slot in 0..usize::from(script.byte()) % (layout::SLOTS + 1) {
            if behind + slot < self.words.len() {
                self.store(behind + slot, self.name(script).encode());
            }
        }
        self.store(first, sequence & 0xffff_ffff | length << 32 | u64::from(kinds) << 43);
        self.words[layout::PENDING].fetch_or(lane.bit(), Ordering::Relaxed);
    }

    /// Capabilities beside a message, of any lane and sequence.
    fn carry(&mut self, script: &mut Script<'_>) {
        let lane = World::lane(script);
        let sequence = head::sequence(self.words[lane.request()].load(Ordering::Relaxed));
        let sequence = sequence.wrapping_add(u32::from(script.byte() % 4));
        let objects: Vec<_> = (0..script.byte() % 5)
            .map(|_| self.ledger.capability(self.objects[script.below(OBJECTS)]))
            .collect();
        let tag = Tag { lane, sequence };
        assert!(self.client.send(tag, &objects).is_ok());
        self.model.carried.push((tag, objects.len()));
    }

    /// A release of the rows that there are, or nearly; its head may jump.
    fn write_release(&mut self, script: &mut Script<'_>) {
        let head = self.words[layout::RELEASE_HEAD].load(Ordering::Relaxed);
        let entry = layout::RELEASE_ENTRIES + usize::try_from(head).unwrap_or(0) % RELEASE_CAPACITY;
        let (row, grants) = (World::row(script), script.byte() % 4);
        let sent = if script.byte() < 250 { 0 } else { script.half() };
        self.store(entry, u64::from(row) | u64::from(grants) << 32 | u64::from(sent) << 48);
        let jump = match script.byte() {
            0..=239 => 1,
            _ => script.word(),
        };
        self.store(layout::RELEASE_HEAD, head.wrapping_add(jump));
        self.words[layout::PENDING].fetch_or(layout::PENDING_RELEASES, Ordering::Relaxed);
    }
}

/// What the server does, and what must come of it.
impl World {
    fn grant(&mut self, script: &mut Script<'_>) {
        let badge = match script.below(OBJECTS + CONTEXTS) {
            object @ 0..OBJECTS => self.objects[object],
            context => self.contexts[context - OBJECTS],
        };
        match self.ledger.grant(badge, NAME, self.port.rows_mut()) {
            Ok((row, counted)) => {
                *self.model.grants.entry(row.index()).or_default() += 1;
                self.port.gather(counted);
            }
            Err(error) => assert_eq!(error, Error::BudgetExceeded),
        }
    }

    fn dissolve(&mut self, script: &mut Script<'_>) {
        let object = script.below(OBJECTS + CONTEXTS);
        if object >= OBJECTS {
            let context = &mut self.contexts[object - OBJECTS];
            for (_, row) in self.ledger.dissolve(*context) {
                Ledger::kill(self.port.rows_mut(), row);
            }
            *context = self.ledger.mint_context(SignalLevel::default()).expect("a place was just freed");
            return;
        }
        for (_, row) in self.ledger.dissolve(self.objects[object]) {
            Ledger::kill(self.port.rows_mut(), row);
        }
        self.objects[object] = self.ledger.mint().expect("a place was just freed");
        if object == 0 {
            self.ledger.count(self.objects[object]);
        }
    }

    fn change_watch(&mut self, script: &mut Script<'_>) {
        match script.byte() % 4 {
            0 => self.port.watch(),
            1 => self.port.unwatch(),
            2 => self.port.cool(),
            _ => drop((self.port.is_ready(), self.port.has_work(), self.port.was_idle())),
        }
    }

    fn take_releases(&mut self) {
        let expected = self.model.take_releases(&self.words);
        let set = self.signals(u64::MAX);
        match self.port.take_releases(&mut self.ledger) {
            Ok(socket) => assert_eq!(expected, Ok(socket)),
            Err(error) => {
                assert!(expected.is_err());
                self.violated(&error);
            }
        }
        assert!(self.taken_signals().is_subset(&set));
    }

    /// The contexts that have a signal which these bits of `pending` announce.
    fn signals(&self, pending: u64) -> HashSet<Badge> {
        let set = signal::announced(pending, layout::SIGNAL_WORDS).flat_map(|word| {
            Signal::in_word(word, self.words[layout::SIGNALS + word].load(Ordering::Relaxed))
        });
        let row = |signal: Signal| self.port.rows().name_at(signal.row());
        set.filter_map(row).filter_map(|name| self.port.rows().get(name)?.context()).collect()
    }

    /// The contexts whose handlers would run now, each once.
    fn taken_signals(&mut self) -> HashSet<Badge> {
        let mut taken = HashSet::new();
        while let Some(context) = self.ledger.contexts_mut().next() {
            assert!(taken.insert(context) && self.contexts.contains(&context));
        }
        taken
    }

    fn take_pending(&mut self) {
        let pending = self.words[layout::PENDING].load(Ordering::Relaxed);
        let releases = match pending & layout::PENDING_RELEASES {
            0 => Ok(false),
            _ => self.model.take_releases(&self.words),
        };
        let socket = pending & layout::PENDING_SOCKET != 0;
        let (announced, set) = (self.signals(pending), self.signals(u64::MAX));
        match self.port.take_pending(&mut self.ledger) {
            Ok(read) => assert_eq!(releases.map(|releases| releases || socket), Ok(read)),
            Err(error) => {
                assert!(releases.is_err());
                self.violated(&error);
            }
        }
        // Those of rows that are given back were taken, too.
        let taken = self.taken_signals();
        assert!(announced.is_subset(&taken) && taken.is_subset(&set));
    }

    /// Takes all requests that there are.
    fn take(&mut self) {
        for taken in 0.. {
            let capabilities = Arc::strong_count(&self.home);
            match self.port.take(&mut self.message, &mut self.ledger) {
                Ok(None) => return,
                Ok(Some(request)) => {
                    assert!(taken < LANES, "a lane has one call at a time");
                    assert!(
                        Arc::strong_count(&self.home) <= capabilities + MAX_CAPABILITIES + 1,
                        "with the share of the counted object"
                    );
                    self.check(request.ticket, request.badge);
                }
                Err(error) => return self.violated(&error),
            }
        }
    }

    fn check(&mut self, ticket: Ticket, badge: Option<Badge>) {
        assert!(self.model.open.iter().all(|open| open.lane != ticket.lane), "it is busy");
        self.model.open.push(ticket);
        self.tickets.push(ticket);
        let words = &self.words[ticket.lane.request()..][..layout::MESSAGE_WORDS];
        let word = |index: usize| words[index].load(Ordering::Relaxed);
        let state = State::decode(word(0)).expect("it was taken");
        let request = Request::decode(std::array::from_fn(|index| word(1 + index)));
        assert_eq!(ticket.sequence, state.sequence);
        if state.kinds.carried() != 0 {
            let tag = Tag { lane: ticket.lane, sequence: ticket.sequence };
            assert_eq!(self.model.take_carried(tag), state.kinds.carried());
        }
        assert_eq!((self.message.opcode(), self.message.link()), (request.opcode, request.link));
        let data = (0..).flat_map(|index| word(layout::REQUEST_HEAD + index).to_le_bytes());
        assert!(self.message.data().iter().copied().eq(data.take(state.length.into())));
        let target = Badge(request.target);
        let target = Some(target).filter(|target| self.ledger.is_object(*target));
        if state.status & head::WITHDRAWN != 0 {
            assert_eq!(badge, None);
        } else if state.kinds.is_empty() {
            assert_eq!(badge, target);
        }
        if badge.is_some() {
            assert_eq!(badge, target);
            let behind = layout::REQUEST_HEAD + layout::slots_behind(state.length);
            let slots = state.kinds.slots((0..).map(|slot| word(behind + slot)));
            let valid = |slot| match slot {
                Slot::Row(name) => self.port.rows().get(name).and_then(Row::badge).is_some(),
                Slot::Portal(_) | Slot::Dataspace(_) => true,
            };
            let valid: Vec<bool> = slots.map(valid).collect();
            assert!(!valid.contains(&false));
            assert_eq!(self.message.held().count(), valid.len());
        }
    }

    /// Answers a call that was taken, perhaps one that was answered before.
    fn reply(&mut self, script: &mut Script<'_>) {
        if self.tickets.is_empty() {
            return;
        }
        let ticket = self.tickets[script.below(self.tickets.len())];
        let open = self.model.open.iter().position(|open| *open == ticket);
        let status = Status::decode(script.byte() % 10).expect("there are ten");
        let mut message = MsgBuf::new();
        let _ = message.write(&[script.byte(); 9]);
        let mut dissolved = false;
        for _ in 0..script.byte() % 5 {
            // Perhaps it was dissolved while this was going on.
            let badge = if script.byte() < 200 {
                self.objects[script.below(OBJECTS)]
            } else {
                Badge(RowName::new(0, 99))
            };
            dissolved |= !self.ledger.contains(badge);
            let _ = message.push(self.ledger.capability(badge));
        }
        let result = self.port.reply(ticket, status, Some(&message), &mut self.ledger, 0);
        let Some(open) = open else {
            assert_eq!(result, Err(Error::CallerGone));
            return;
        };
        self.model.open.swap_remove(open);
        let word = self.words[ticket.lane.reply()].load(Ordering::Relaxed);
        let state = State::decode(word).expect("we encoded it");
        assert_eq!(state.sequence, ticket.sequence);
        if dissolved {
            assert_eq!(
                (result, state.status),
                (Err(Error::InvalidCapability), Status::InvalidCapability as u8)
            );
        } else {
            assert_eq!((result, state.status), (Ok(()), status as u8));
        }
    }
}

impl Model {
    /// How many capabilities the transport finds beside a message.
    fn take_carried(&mut self, tag: Tag) -> usize {
        let place = self.carried.iter().position(|(of, _)| *of == tag);
        place.map_or(0, |place| self.carried.swap_remove(place).1)
    }

    /// What a port must do with the release ring: whether it waits for the socket, or that it was a violation.
    fn take_releases(&mut self, words: &Words) -> Result<bool, ()> {
        let word = |index: usize| words[index].load(Ordering::Relaxed);
        for _ in 0..RELEASE_CAPACITY {
            let release = match self.held.take() {
                Some(held) => held,
                None => match word(layout::RELEASE_HEAD).wrapping_sub(self.tail) {
                    0 => return Ok(false),
                    filled if filled > RELEASE_CAPACITY as u64 => return Err(()),
                    _ => {
                        let place = usize::try_from(self.tail % RELEASE_CAPACITY as u64).map_err(|_| ())?;
                        self.tail = self.tail.wrapping_add(1);
                        decode(word(layout::RELEASE_ENTRIES + place))
                    }
                },
            };
            if (1..0x8000).contains(&release.sent) {
                self.held = Some(release);
                return Ok(true);
            }
            let left = self.grants.get_mut(&release.row).ok_or(())?;
            *left = left.checked_sub(release.grants.into()).ok_or(())?;
            if *left == 0 {
                self.grants.remove(&release.row);
            }
        }
        Ok(false)
    }
}

#[allow(clippy::cast_possible_truncation)] // each field is cut to its width
fn decode(word: u64) -> Release {
    Release { row: word as u32, grants: (word >> 32) as u16, sent: (word >> 48) as u16 }
}
