//! The server's side: the alarms of the component's own thread.

use super::Timer;
use portcullis_component::{Alarm, Budget, Env, Error, Opening, Quota, Sessions};
use portcullis_rpc::{Later, Reply, SignalCapability};
use portcullis_shm::{RamQuota, Reservation};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What one call that waits costs.
const SLEEPER: RamQuota = RamQuota::bytes(256);

/// The shortest period.
const SHORTEST: Duration = Duration::from_millis(1);

/// Serves the time. All its clients' calls wait on the component's one thread.
///
/// ```
/// use portcullis_component::test::with_server;
/// use portcullis_component::{Env, Error};
/// use portcullis_sessions::timer::{Timer, TimerComponent};
///
/// let waited = with_server(
///     |env: Env| env.announce::<dyn Timer, _>(TimerComponent::new()),
///     |env| {
///         let mut timer = env.connect::<dyn Timer>("", &())?;
///         let before = timer.now()?;
///         Ok::<_, Error>(timer.sleep(1_000).get()? - before)
///     },
/// )?;
/// assert!(waited >= 1_000, "microseconds");
/// # Ok::<_, Error>(())
/// ```
#[derive(Debug)]
pub struct TimerComponent(Instant);

impl TimerComponent {
    /// A timer that begins now.
    #[must_use]
    pub fn new() -> TimerComponent {
        TimerComponent(Instant::now())
    }
}

impl Default for TimerComponent {
    fn default() -> Self {
        TimerComponent::new()
    }
}

impl Sessions<dyn Timer> for TimerComponent {
    type Session = TimerSession;

    /// Beside the object, the context that it signals.
    fn needs(&self, (): &()) -> Quota {
        Quota::new(1024, 2)
    }

    fn create(&mut self, opening: Opening<()>) -> Result<TimerSession, Error> {
        let Opening { env, budget, .. } = opening;
        Ok(TimerSession {
            began: self.0,
            env,
            budget,
            sleepers: Rc::default(),
            last: 0,
            trigger: Rc::default(),
        })
    }
}

/// One client's timer: what a [`TimerComponent`] makes of a request.
///
/// ```
/// use portcullis_component::Sessions;
/// use portcullis_sessions::timer::{Timer, TimerComponent, TimerSession};
///
/// fn is_made<S: Sessions<dyn Timer, Session = TimerSession>>() {}
/// is_made::<TimerComponent>();
/// ```
#[derive(Debug)]
pub struct TimerSession {
    began: Instant,
    env: Env,
    budget: Budget,
    /// Who waits, and what is reserved for him. They are gone with the session.
    sleepers: Rc<RefCell<BTreeMap<u64, Sleeper>>>,
    last: u64,
    trigger: Rc<Trigger>,
}

/// The timer of a session that signals.
#[derive(Debug, Default)]
struct Trigger {
    listener: RefCell<Option<SignalCapability>>,
    alarm: RefCell<Option<Alarm>>,
}

impl Trigger {
    /// Signals then, and if there is a period again and again.
    fn set(trigger: &Rc<Trigger>, env: &Env, due: Instant, period: Option<Duration>) {
        let weak = Rc::downgrade(trigger);
        let alarm = env.at(due, move |env| {
            let Some(trigger) = weak.upgrade() else { return };
            trigger.listener.borrow().iter().for_each(SignalCapability::submit);
            // From now on and not from when it was due: who comes late skips what he missed.
            if let Some(next) = period.and_then(|period| Instant::now().checked_add(period)) {
                Trigger::set(&trigger, env, next, period);
            }
        });
        *trigger.alarm.borrow_mut() = Some(alarm);
    }
}

#[derive(Debug)]
struct Sleeper {
    reply: Reply<Result<u64, Error>>,
    _alarm: Alarm,
    _paid: Reservation,
}

fn since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

impl Timer for TimerSession {
    fn now(&mut self) -> Result<u64, Error> {
        Ok(since(self.began))
    }

    fn sleep(&mut self, microseconds: u64) -> Later<Result<u64, Error>> {
        // Who has given up has no more need of what was reserved for him, nor of the way to answer him.
        let entrypoint = self.env.entrypoint();
        self.sleepers.borrow_mut().retain(|_, sleeper| entrypoint.awaits(&sleeper.reply));
        let Ok(paid) = self.budget.ram().reserve(SLEEPER) else {
            return Later::ready(Err(Error::InsufficientRamQuota { missing: SLEEPER }));
        };
        let Some(due) = Instant::now().checked_add(Duration::from_micros(microseconds)) else {
            // Beyond the clock: nobody lives to be told.
            return Later::ready(Err(Error::NotGranted));
        };
        let (later, reply) = Later::new();
        self.last += 1;
        let (began, number, sleepers) = (self.began, self.last, Rc::downgrade(&self.sleepers));
        let alarm = self.env.at(due, move |_| {
            let sleeper = sleepers.upgrade().and_then(|sleepers| sleepers.borrow_mut().remove(&number));
            sleeper.into_iter().for_each(|sleeper| sleeper.reply.answer(Ok(since(began))));
        });
        let sleeper = Sleeper { reply, _alarm: alarm, _paid: paid };
        self.sleepers.borrow_mut().insert(number, sleeper);
        later
    }

    fn sigh(&mut self, context: SignalCapability) -> Result<(), Error> {
        *self.trigger.listener.borrow_mut() = Some(context);
        Ok(())
    }

    fn trigger_once(&mut self, microseconds: u64) -> Result<(), Error> {
        let due = Instant::now().checked_add(Duration::from_micros(microseconds)).ok_or(Error::NotGranted)?;
        Trigger::set(&self.trigger, &self.env, due, None);
        Ok(())
    }

    fn trigger_periodic(&mut self, microseconds: u64) -> Result<(), Error> {
        let period = Duration::from_micros(microseconds).max(SHORTEST);
        match Instant::now().checked_add(period) {
            _ if microseconds == 0 => drop(self.trigger.alarm.take()),
            Some(due) => Trigger::set(&self.trigger, &self.env, due, Some(period)),
            None => return Err(Error::NotGranted),
        }
        Ok(())
    }
}
