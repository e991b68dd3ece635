//! What a subscriber of `tracing` sees of calls between two threads.

use portcullis::prelude::*;
use portcullis::test::{Pair, pair, pair_with};
use std::fmt::{Debug, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Writes down what happens, for the process as a whole.
struct Witness;

/// All lines so far: a span by its name and number, an event within its span.
static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
/// The spans that there were, and one test at a time.
static SPANS: Mutex<u64> = Mutex::new(0);
static TURN: Mutex<()> = Mutex::new(());

thread_local! {
    static CURRENT: std::cell::RefCell<Vec<u64>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// ` field=value` for each field.
#[derive(Default)]
struct Fields(String);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("a string has room");
    }
}

fn current() -> Option<u64> {
    CURRENT.with_borrow(|spans| spans.last().copied())
}

fn see(what: &str, parent: Option<u64>, fields: &Fields) {
    let within = parent.map_or("top".into(), |parent| format!("span {parent}"));
    locked(&SEEN).push(format!("{within}: {what}{}", fields.0));
}

impl Subscriber for Witness {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "portcullis"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut fields = Fields::default();
        span.record(&mut fields);
        let number = {
            let mut spans = locked(&SPANS);
            *spans += 1;
            *spans
        };
        see(&format!("{} is span {number}", span.metadata().name()), current(), &fields);
        Id::from_u64(number)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let parent = event.parent().map(Id::into_u64).or_else(current);
        see("event", parent, &fields);
    }

    fn enter(&self, span: &Id) {
        CURRENT.with_borrow_mut(|spans| spans.push(span.into_u64()));
    }

    fn exit(&self, _: &Id) {
        CURRENT.with_borrow_mut(Vec::pop);
    }
}

/// What is seen while `work` is done.
fn seen_of(work: impl FnOnce() -> Result<(), rpc::Error>) -> Vec<String> {
    let _turn = locked(&TURN);
    // Refused from the second test on.
    let _ = tracing::subscriber::set_global_default(Witness);
    locked(&SEEN).clear();
    *locked(&SPANS) = 0;
    work().expect("the calls are answered");
    std::mem::take(&mut locked(&SEEN))
}

#[rpc_interface(name = "log")]
trait Log {
    fn clear(&mut self) -> Result<(), rpc::Error>;
    fn write(&mut self, line: &str) -> Result<usize, rpc::Error>;
    fn later(&mut self) -> Later<Result<(), rpc::Error>>;
    fn copy(&mut self, to: Capability<dyn Log>) -> Result<(), rpc::Error>;
}

#[derive(Default)]
struct Lines {
    waiting: Option<Reply<Result<(), rpc::Error>>>,
}

impl Log for Lines {
    fn clear(&mut self) -> Result<(), rpc::Error> {
        if let Some(reply) = self.waiting.take() {
            reply.answer(Ok(()));
        }
        Ok(())
    }

    fn write(&mut self, line: &str) -> Result<usize, rpc::Error> {
        assert_ne!(line, "panic");
        Ok(line.len())
    }

    fn later(&mut self) -> Later<Result<(), rpc::Error>> {
        let (later, reply) = Later::new();
        self.waiting = Some(reply);
        later
    }

    fn copy(&mut self, to: Capability<dyn Log>) -> Result<(), rpc::Error> {
        to.client().write("copied").map(drop)
    }
}

#[test]
fn a_call_is_seen_on_both_sides() {
    let seen = seen_of(|| {
        let mut log = pair::<dyn Log, _>(1_u32)?;
        log.write("x").map(drop)
    });
    let expected = [
        "top: call is span 1 interface=log method=write opcode=1",
        "top: dispatch is span 2 interface=log method=write opcode=1 object=1",
        "span 2: event message=reply outcome=answered",
        "span 1: event message=returned outcome=answered",
    ];
    assert_eq!(seen, expected);
    let of_a_task = seen_of(|| {
        let log = pair::<dyn Log, _>(1_u32)?;
        let mut call = std::pin::pin!(log.write_async("x"));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        loop {
            // It never sleeps, so that nobody needs to wake it.
            if let std::task::Poll::Ready(result) = call.as_mut().poll(&mut context) {
                return result.map(drop);
            }
        }
    });
    assert_eq!(of_a_task, expected);
}

/// A log that has nothing to keep.
impl Log for u32 {
    fn clear(&mut self) -> Result<(), rpc::Error> {
        Ok(())
    }

    fn write(&mut self, _: &str) -> Result<usize, rpc::Error> {
        Ok(0)
    }

    fn later(&mut self) -> Later<Result<(), rpc::Error>> {
        Later::ready(Ok(()))
    }

    fn copy(&mut self, _: Capability<dyn Log>) -> Result<(), rpc::Error> {
        Ok(())
    }
}

#[test]
fn a_call_that_a_method_makes_lies_within_its_own() {
    let seen = seen_of(|| {
        let (mut from, to) = (pair_with::<dyn Log, _>(|_| Lines::default())?, pair::<dyn Log, _>(1_u32)?);
        from.copy(to.capability().clone())
    });
    let opened: Vec<_> = seen.iter().filter_map(|line| line.split(" interface").next()).collect();
    assert_eq!(
        opened[..4],
        [
            "top: call is span 1",
            "top: dispatch is span 2",
            "span 2: call is span 3",
            "top: dispatch is span 4"
        ]
    );
    assert_eq!(seen.len(), 8, "each has its end: {seen:#?}");
}

#[test]
fn what_is_not_answered_says_why() {
    let seen = seen_of(|| {
        let mut log = pair_with::<dyn Log, _>(|_| Lines::default())?;
        assert_eq!(log.write("panic"), Err(rpc::Error::ServerPanicked));
        let capability = log.capability().clone();
        let untyped = capability.untyped().clone();
        assert_eq!(
            Capability::<dyn Other>::from_untyped(untyped).client().other(),
            Err(rpc::Error::WrongInterface)
        );
        Pair::entrypoint(&log).ask(move |entrypoint| entrypoint.dissolve(&capability))?;
        assert_eq!(log.clear(), Err(rpc::Error::InvalidCapability));
        Ok(())
    });
    let outcomes: Vec<_> = seen.iter().filter_map(|line| line.split_once(" outcome=")).collect();
    let begins = [
        ("span 2: event message=reply", "panicked"),
        ("span 1: event message=returned", "server: it panicked"),
        ("span 4: event message=reply", "the object has another interface"),
        ("span 3: event message=returned", "client: the object has another interface"),
        ("span 5: event message=returned", "client: the capability is not valid"),
    ];
    assert_eq!(outcomes.len(), begins.len(), "{seen:#?}");
    for ((event, outcome), (expected_event, begin)) in outcomes.into_iter().zip(begins) {
        assert_eq!(event, expected_event);
        assert!(outcome.starts_with(begin), "{outcome}");
    }
}

#[rpc_interface]
trait Other {
    fn other(&mut self) -> Result<(), rpc::Error>;
}

#[test]
fn a_result_that_comes_later_is_seen_when_it_comes() {
    let seen = seen_of(|| {
        let log = pair_with::<dyn Log, _>(|_| Lines::default())?;
        let waits = log.capability().clone();
        let client = std::thread::spawn(move || waits.client().later().get());
        while !Pair::apply(&log, |lines: &mut Lines| lines.waiting.is_some())? {
            std::thread::yield_now();
        }
        Pair::apply(&log, |lines: &mut Lines| lines.clear())??;
        client.join().expect("the client waits and no more")
    });
    assert_eq!(
        seen[2..],
        ["span 2: event message=reply outcome=later", "span 1: event message=returned outcome=answered"]
    );
}

#[test]
fn a_signal_is_seen_when_it_is_submitted_and_when_its_handler_runs() {
    let seen = seen_of(|| {
        let entrypoint = Entrypoint::new(&Pd::new()?)?;
        let ran = entrypoint.manage_signal((), SignalLevel::Application, |(), entrypoint| entrypoint.stop());
        let relay = ran.clone();
        let first = entrypoint.manage_signal((), SignalLevel::Application, move |(), _| relay.submit());
        first.submit();
        Ok(entrypoint.run()?)
    });
    assert_eq!(
        seen,
        [
            "top: event message=submit",
            "top: signal is span 1 context=1 object=2",
            "span 1: event message=submit",
            "top: signal is span 2 context=0 object=1",
        ]
    );
}
