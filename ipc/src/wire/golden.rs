//! Every element of the format against the examples in `docs/wire-vectors`.

use super::control::{Control, Tag, Token};
use super::head::{Request, RowName, State, Status};
use super::layout::{self, LaneId};
use super::signal::Signal;
use super::slot::{Group, Kinds, Slot};
use super::{VERSION, Violation};
use crate::allowance::Allowance;
use crate::due::Due;
use crate::entrypoint_id::EntrypointId;
use crate::error::{Error, Refusal};
use crate::protocol::release_ring::{Release, Ring};
use crate::sync::{AtomicU64, Ordering};
use std::collections::HashMap;

/// A line of a file of examples.
struct Vector {
    /// File and line.
    place: String,
    good: bool,
    wire: String,
    meaning: String,
}

impl Vector {
    fn words(&self) -> Vec<u64> {
        self.wire.split(' ').filter(|part| part.starts_with("0x")).map(number).collect()
    }

    fn word(&self) -> u64 {
        self.words()[0]
    }

    /// The `name=value` parts of both sides.
    fn fields(&self) -> HashMap<&str, &str> {
        self.wire.split(' ').chain(self.meaning.split(' ')).filter_map(|part| part.split_once('=')).collect()
    }

    fn field(&self, name: &str) -> u64 {
        number(self.fields().get(name).unwrap_or_else(|| panic!("{}: no {name}", self.place)))
    }

    fn field_u32(&self, name: &str) -> u32 {
        self.field(name).try_into().expect("a number of 32 bits")
    }

    fn row(&self) -> RowName {
        RowName::new(self.field_u32("index"), self.field_u32("generation"))
    }

    /// A good one is what its meaning says; a bad one is refused for the reason that it gives.
    fn check<T: PartialEq + std::fmt::Debug>(
        &self,
        decoded: Result<T, Violation>,
        meant: impl FnOnce() -> T,
    ) {
        let expected = if self.good { Ok(meant()) } else { Err(self.meaning.as_str()) };
        assert_eq!(decoded.map_err(|violation| violation.0), expected, "{}", self.place);
    }
}

fn number(text: &str) -> u64 {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    }
    .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn bytes(text: &str) -> Vec<u8> {
    let digits = if text == "-" { "" } else { text };
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

/// The examples of a file, of which there are good ones and, unless nothing can be bad, bad ones.
fn vectors(file: &str, bad: bool) -> Vec<Vector> {
    let path = format!("{}/../docs/wire-vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let vectors: Vec<Vector> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| {
            let place = format!("{file}:{number}");
            let (verdict, rest) = line.split_once(' ').unwrap_or_else(|| panic!("{place}: no verdict"));
            let (wire, meaning) = rest.split_once(" :").unwrap_or_else(|| panic!("{place}: no meaning"));
            let good = match verdict {
                "good" => true,
                "bad" => false,
                _ => panic!("{place}: neither good nor bad"),
            };
            Vector { place, good, wire: wire.trim().into(), meaning: meaning.trim().into() }
        })
        .collect();
    assert!(vectors.iter().any(|vector| vector.good) && vectors.iter().any(|vector| !vector.good) == bad);
    vectors
}

/// Slots as letters, lowest first. What their words are does not matter here.
fn kinds(letters: &str) -> Kinds {
    let slots: Vec<Slot> = (letters.chars().filter(|letter| *letter != '-'))
        .map(|letter| match letter {
            'r' => Slot::Row(RowName::FIRST),
            'p' => Slot::Portal(Group(0)),
            _ => Slot::Dataspace(0),
        })
        .collect();
    Kinds::of(&slots)
}

#[test]
fn state_words() {
    for vector in vectors("state.txt", true) {
        let meant = || State {
            sequence: vector.field_u32("sequence"),
            length: vector.field("length").try_into().unwrap(),
            kinds: kinds(vector.fields()["slots"]),
            status: vector.field("status").try_into().unwrap(),
            core: vector.field("core").try_into().unwrap(),
        };
        vector.check(State::decode(vector.word()), meant);
        if vector.good {
            assert_eq!(meant().encode(), vector.word(), "{}", vector.place);
        }
    }
}

#[test]
fn kinds_of_slots() {
    for vector in vectors("kinds.txt", true) {
        let byte = vector.word().try_into().unwrap();
        vector.check(Kinds::decode(byte), || kinds(vector.fields()["slots"]));
        if vector.good {
            assert_eq!(kinds(vector.fields()["slots"]).encode(), byte, "{}", vector.place);
        }
    }
}

#[test]
fn slots() {
    for vector in vectors("slot.txt", false) {
        let (meant, letter) = match vector.wire.split_once(' ') {
            Some(("r", _)) => (Slot::Row(vector.row()), "r"),
            Some(("d", _)) => (Slot::Dataspace(vector.field("attributes")), "d"),
            _ => (Slot::Portal(Group(vector.field("group"))), "p"),
        };
        assert_eq!(meant.encode(), vector.word(), "{}", vector.place);
        let decoded: Vec<Slot> = kinds(letter).slots([vector.word()].into_iter()).collect();
        assert_eq!(decoded, [meant], "{}", vector.place);
    }
}

#[test]
fn row_names() {
    for vector in vectors("row.txt", false) {
        assert_eq!(RowName::decode(vector.word()), vector.row(), "{}", vector.place);
        assert_eq!(vector.row().encode(), vector.word(), "{}", vector.place);
    }
}

#[test]
fn request_heads() {
    for vector in vectors("request.txt", false) {
        let words: [u64; 4] = vector.words().try_into().unwrap();
        let meant = Request {
            target: vector.row(),
            opcode: vector.field_u32("opcode"),
            due: Due::decode(vector.field_u32("due")),
            link: vector.field("link"),
            chain: vector.field("chain"),
        };
        assert_eq!(Request::decode(words), meant, "{}", vector.place);
        assert_eq!(meant.encode(), words, "{}", vector.place);
    }
}

#[test]
fn statuses() {
    for vector in vectors("status.txt", true) {
        let (status, result) = match vector.meaning.as_str() {
            "Answered" => (Status::Answered, Ok(())),
            "InvalidCapability" => (Status::InvalidCapability, Err(Error::InvalidCapability)),
            "Abandoned" => (Status::Abandoned, Err(Error::Abandoned)),
            "BudgetExceeded" => (Status::BudgetExceeded, Err(Error::BudgetExceeded)),
            "Busy" => (Status::Busy, Err(Error::Busy)),
            "UnknownMethod" => (Status::UnknownMethod, Err(Error::Refused(Refusal::UnknownMethod))),
            "WrongInterface" => (Status::WrongInterface, Err(Error::Refused(Refusal::WrongInterface))),
            "Malformed" => (Status::Malformed, Err(Error::Refused(Refusal::Malformed))),
            "Panicked" => (Status::Panicked, Err(Error::Refused(Refusal::Panicked))),
            "CallCycle" => (Status::CallCycle, Err(Error::CallCycle)),
            "Unanswerable" => (Status::Unanswerable, Err(Error::Refused(Refusal::Unanswerable))),
            _ => (Status::Answered, Ok(())),
        };
        let byte = number(&vector.wire).try_into().unwrap();
        vector.check(Status::decode(byte), || status);
        if vector.good {
            assert_eq!((status as u8, status.into_result()), (byte, result), "{}", vector.place);
        }
    }
}

#[test]
fn release_entries() {
    for vector in vectors("release.txt", false) {
        let meant = Release {
            row: vector.field_u32("row"),
            grants: vector.field("grants").try_into().unwrap(),
            sent: vector.field("sent").try_into().unwrap(),
        };
        let (head, tail, entries) = (AtomicU64::new(0), AtomicU64::new(0), [AtomicU64::new(0)]);
        let ring = Ring { head: &head, tail: &tail, entries: &entries };
        assert!(ring.push(&mut 0, meant));
        assert_eq!(entries[0].load(Ordering::Relaxed), vector.word(), "{}", vector.place);
        entries[0].store(vector.word(), Ordering::Relaxed);
        assert_eq!(ring.pop(&mut 0), Ok(Some(meant)), "{}", vector.place);
    }
}

#[test]
fn release_rings() {
    for vector in vectors("release-ring.txt", true) {
        let mut tail = vector.field("tail");
        let (head, shared_tail) = (AtomicU64::new(vector.field("head")), AtomicU64::new(tail));
        let entries: Vec<AtomicU64> = (0..layout::RELEASE_CAPACITY).map(|_| AtomicU64::new(0)).collect();
        let ring = Ring { head: &head, tail: &shared_tail, entries: &entries };
        let popped = std::iter::from_fn(|| ring.pop(&mut tail).transpose());
        vector.check(popped.collect::<Result<Vec<_>, _>>().map(|popped| popped.len() as u64), || {
            vector.field("entries")
        });
    }
}

#[test]
fn control_messages() {
    for vector in vectors("control.txt", true) {
        let sent = bytes(vector.wire.split(' ').next().unwrap());
        let descriptors = vector.field("descriptors").try_into().unwrap();
        let meant = || match vector.meaning.split(' ').next() {
            Some("doorbell") => Control::Doorbell,
            Some("hello") => Control::Hello,
            Some("open") => Control::Open {
                row: vector.row(),
                greeted: vector.field("greeted") == 1,
                allowance: Allowance {
                    rows: vector.field_u32("rows"),
                    contexts: vector.field_u32("contexts"),
                    channels: vector.field_u32("channels"),
                },
            },
            Some("refusal") => Control::Refusal,
            Some("descriptors") => Control::Descriptors(Tag {
                lane: LaneId::new(vector.field_u32("lane")).unwrap(),
                sequence: vector.field_u32("sequence"),
            }),
            Some("greeting") => Control::Greeting(EntrypointId::decode(vector.field("entrypoint")).unwrap()),
            Some("token") => Control::Token(Token(vector.field("token"))),
            _ => panic!("{}: no such message", vector.place),
        };
        vector.check(Control::decode(&sent, descriptors), meant);
        if vector.good {
            match meant() {
                Control::Doorbell => assert_eq!(super::control::DOORBELL, *sent, "{}", vector.place),
                control => assert_eq!(control.encode(), *sent, "{}", vector.place),
            }
        }
    }
}

#[test]
fn layout() {
    let lane = |number| LaneId::new(number).unwrap();
    for vector in vectors("layout.txt", true) {
        if let Some(lane) = vector.wire.strip_prefix("lane ") {
            assert_eq!(LaneId::new(number(lane).try_into().unwrap()), None, "{}", vector.place);
            continue;
        }
        let value = match vector.wire.as_str() {
            "version" => VERSION.into(),
            "memory-bytes" => layout::CHANNEL_BYTES,
            "page-bytes" => layout::PAGE_BYTES,
            "chain" => layout::CHAIN,
            "lanes" => layout::LANES,
            "data-bytes" => layout::DATA_WORDS * 8,
            "slots" => layout::SLOTS,
            "watched" => layout::WATCHED,
            "pending" => layout::PENDING,
            "waiting" => layout::WAITING,
            "release-head" => layout::RELEASE_HEAD,
            "release-tail" => layout::RELEASE_TAIL,
            "release-entries" => layout::RELEASE_ENTRIES,
            "release-capacity" => layout::RELEASE_CAPACITY,
            "request-head-words" => layout::REQUEST_HEAD,
            "reply-head-words" => layout::REPLY_HEAD,
            "lane-0-request" => lane(0).request(),
            "lane-0-reply" => lane(0).reply(),
            "lane-1-request" => lane(1).request(),
            "lane-15-reply" => lane(15).reply(),
            "signals" => layout::SIGNALS,
            "signal-words" => layout::SIGNAL_WORDS,
            "pending-signals-bit" => layout::PENDING_SIGNALS.trailing_zeros() as usize,
            "pending-signals-bits" => layout::PENDING_SIGNALS.count_ones() as usize,
            "awake-bit" => layout::AWAKE.trailing_zeros() as usize,
            "releases-at-once-bit" => layout::RELEASES_AT_ONCE.trailing_zeros() as usize,
            "pending-socket-bit" => layout::PENDING_SOCKET.trailing_zeros() as usize,
            "waiting-task-lane-0-bit" => lane(0).task_bit().trailing_zeros() as usize,
            "waiting-task-lane-15-bit" => lane(15).task_bit().trailing_zeros() as usize,
            "pending-releases-bit" => layout::PENDING_RELEASES.trailing_zeros() as usize,
            other => match other.strip_prefix("slots-behind-") {
                Some(length) => layout::slots_behind(length.parse().unwrap()),
                None => panic!("{}: no such constant", vector.place),
            },
        };
        assert_eq!(value as u64, number(&vector.meaning), "{}", vector.place);
    }
}

#[test]
fn signals() {
    for vector in vectors("signal.txt", true) {
        let signal = Signal::of(vector.field_u32("row")).ok_or(Violation("no signal"));
        let place = signal.map(|signal| {
            (signal.word() as u64, signal.bit().trailing_zeros(), signal.pending().trailing_zeros())
        });
        let meant = || (vector.field("word"), vector.field_u32("bit"), vector.field_u32("pending"));
        vector.check(place, meant);
        if vector.good {
            let (word, bit) =
                (usize::try_from(vector.field("word")).unwrap() - layout::SIGNALS, vector.field("bit"));
            let mut signals = Signal::in_word(word, 1 << bit);
            assert_eq!(signals.next().map(Signal::row), Some(vector.field_u32("row")), "{}", vector.place);
            assert_eq!(word as u64 * 64 + bit, vector.field("signal"), "{}", vector.place);
        }
    }
}

/// The content of a message: its data and its slots.
type Content = (Vec<u8>, Vec<Slot>);

/// Reads what stands behind a message's head.
fn read(words: &[u64], head: usize) -> Result<Content, Violation> {
    let (state, behind) = (State::decode(words[0])?, &words[head..]);
    let data = behind.iter().flat_map(|word| word.to_le_bytes()).take(state.length.into()).collect();
    let slots = behind[layout::slots_behind(state.length)..].iter().copied();
    Ok((data, state.kinds.slots(slots).collect()))
}

/// The words behind a message's head, and what its state says of them.
fn write((data, slots): &Content) -> (Vec<u64>, u16, Kinds) {
    let mut padded = data.clone();
    padded.resize(data.len().next_multiple_of(8), 0);
    let data_words = padded.as_chunks().0.iter().map(|chunk| u64::from_le_bytes(*chunk));
    let words = data_words.chain(slots.iter().map(|slot| slot.encode())).collect();
    (words, data.len().try_into().expect("a message's length"), Kinds::of(slots))
}

#[test]
fn messages() {
    let slot = |text: &str| match text.split_once('.') {
        Some((index, generation)) => {
            let (index, generation) = (index.parse().unwrap(), generation.parse().unwrap());
            Slot::Row(RowName::new(index, generation))
        }
        None => match text.strip_prefix("dataspace:") {
            Some(attributes) => Slot::Dataspace(number(attributes)),
            None => Slot::Portal(Group(text.strip_prefix("portal:").map_or(0, number))),
        },
    };
    for vector in vectors("message.txt", true) {
        let words = vector.words();
        let head = if vector.wire.starts_with("request") { layout::REQUEST_HEAD } else { layout::REPLY_HEAD };
        let meant = || {
            let fields = vector.fields();
            let slots = fields["slots"].split(',').filter(|slot| *slot != "-").map(slot);
            (bytes(fields["data"]), slots.collect())
        };
        vector.check(read(&words, head), meant);
        if vector.good {
            let state = State::decode(words[0]).unwrap();
            let expected = (words[head..].to_vec(), state.length, state.kinds);
            assert_eq!(write(&meant()), expected, "{}", vector.place);
        }
    }
}
