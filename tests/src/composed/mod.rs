//! Compositions that run: at the root, which is the test's own thread, or within a component that is `init`.

mod faulty;
mod roles;

pub use roles::run;

use portcullis_component::Quota;
use portcullis_component::sandbox::Support;
use portcullis_entrypoint::Entrypoint;
use portcullis_init::{Composition, Init, NotStarted, Root};
use portcullis_ipc::Pd;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where the composition of a test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the root.
    Root,
    /// Within a component at the root, which is the binary `composer`.
    Within,
}

/// The component within which a composition runs.
pub const INNER: &str = "inner";

/// How long anything takes at most.
const LIMIT: Duration = Duration::from_secs(60);

/// What the root has to give.
pub const ALL: Quota = Quota::new(1 << 40, 1 << 20);

/// A composition that runs.
pub struct Composed {
    /// What runs at the root.
    pub init: Init,
    place: Place,
    composer: String,
    lines: Arc<Mutex<Vec<String>>>,
    entrypoint: Entrypoint,
}

impl Composed {
    /// A root without components; `composer` is the binary of that name.
    ///
    /// # Panics
    /// If the system refuses what it takes.
    #[must_use]
    pub fn new(place: Place, composer: &str) -> Composed {
        Composed::of(ALL, place, composer)
    }

    /// A root that has so much to give.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    #[must_use]
    pub fn of(quota: Quota, place: Place, composer: &str) -> Composed {
        let pd = Pd::new().expect("there are descriptors");
        let entrypoint = Entrypoint::new(&pd).expect("there are descriptors");
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let (written, told) = (lines.clone(), lines.clone());
        let log = move |line: &str| locked(&written).push(normal(line));
        let root = Root { directory: "/".into(), quota, log: Box::new(log), also: Vec::new() };
        let tell = move |event: portcullis_init::Event| locked(&told).push(format!("init: {event}"));
        let init = Init::root(&pd, &entrypoint, root, tell).expect("there is a thread");
        Composed { init, place, composer: composer.into(), lines, entrypoint }
    }

    /// Starts a composition.
    ///
    /// # Errors
    /// As `Init::start`.
    ///
    /// # Panics
    /// If there is an error in the text.
    pub fn start(&self, text: &str) -> Result<(), NotStarted> {
        self.init.start(&self.composition(text))
    }

    /// Has another one run.
    ///
    /// # Panics
    /// If there is an error in the text.
    pub fn change(&self, text: &str) {
        self.init.change(&self.composition(text));
    }

    fn composition(&self, text: &str) -> Composition {
        let text = match self.place {
            Place::Root => text.to_owned(),
            Place::Within => within(INNER, &self.composer, text),
        };
        Composition::parse(&text).unwrap_or_else(|problems| panic!("{problems}\nof\n{text}"))
    }

    /// What was said so far: the lines of the log, and what has happened to components, after `init: `.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        locked(&self.lines).clone()
    }

    /// Forgets what was said so far.
    pub fn forget(&self) {
        locked(&self.lines).clear();
    }

    /// How many lines have these words.
    #[must_use]
    pub fn said(&self, words: &str) -> usize {
        locked(&self.lines).iter().filter(|line| line.contains(words)).count()
    }

    /// Serves until so many lines have these words.
    ///
    /// # Panics
    /// If the root cannot serve.
    pub fn until_said(&self, words: &str, times: usize) {
        self.until(|composed| composed.said(words) >= times);
    }

    /// Serves until the condition holds, which is looked at now and then, too.
    ///
    /// # Panics
    /// If the root cannot serve, or the condition does not hold for a long time.
    pub fn until(&self, mut condition: impl FnMut(&Composed) -> bool) {
        let handle = self.entrypoint.handle();
        let (is_over, looks) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            // What is waited for may happen where the root does not see it.
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(2));
                    // One at a time: to look may take long.
                    if !looks.swap(true, Ordering::Relaxed) {
                        handle.stop();
                    }
                }
            });
            let (mut holds, end) = (false, Instant::now() + LIMIT);
            let served = self.init.run_until(|_| {
                looks.store(false, Ordering::Relaxed);
                holds = condition(self);
                holds || Instant::now() > end
            });
            is_over.store(true, Ordering::Relaxed);
            served.expect("the root serves");
            assert!(holds, "it does not happen; said was {:#?}", self.lines());
        });
    }

    /// The process of a component, when it was started for so many times; what it does may be said before its start is.
    ///
    /// # Panics
    /// If the root cannot serve.
    #[must_use]
    pub fn process(&self, name: &str, starts: usize) -> u32 {
        self.until(|composed| composed.starts(name) >= starts);
        let begin = format!("init: {name}: started, process ");
        let lines = locked(&self.lines);
        let number = lines.iter().rev().find_map(|line| line.strip_prefix(&begin)?.parse().ok());
        number.expect("it was started")
    }

    /// How often a component was started.
    #[must_use]
    pub fn starts(&self, name: &str) -> usize {
        self.said(&format!("init: {name}: started, process "))
    }
}

fn locked(lines: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    lines.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A line as it would be at the root.
fn normal(line: &str) -> String {
    match line.strip_prefix(&format!("[{INNER} -> ")) {
        Some(rest) => match rest.strip_prefix("(init)] ") {
            Some(event) => format!("init: {event}"),
            None => format!("[{rest}"),
        },
        None => line.to_owned(),
    }
}

/// A composition of one component, `init`, which runs the other one; what that asks its parent for comes from the root.
#[must_use]
pub fn within(name: &str, composer: &str, text: &str) -> String {
    let inner = text.replace("[[component.", "[[component.config.component.");
    let inner = inner.replace("[[component]]", "[[component.config.component]]");
    let inner = inner.replace("[[route]]", "[[component.config.route]]");
    format!(
        "[[component]]\nname = '{name}'\nbinary = '{composer}'\nram = '1G'\ncaps = 100000\nsandbox = '{}'\n\
         provides = ['log', 'timer']\n{inner}\n\
         [[route]]\nfrom = '{name}'\nservice = '*'\nto = 'parent'\n",
        confinement()
    )
}

/// As strict as the system can.
fn confinement() -> &'static str {
    if Support::of_this_system().expect("there is room to try it").strict() { "strict" } else { "available" }
}

/// A component of a composition: the binary `member` in that role, confined as far as the system can.
#[must_use]
pub fn member(member: &str, name: &str, role: &str, more: &str) -> String {
    let mut text = format!("[[component]]\nname = '{name}'\nbinary = '{member}'\n");
    let args: Vec<String> = role.split(' ').map(|arg| format!("'{arg}'")).collect();
    let _ = writeln!(text, "args = [{}]", args.join(", "));
    for (key, value) in [("ram", "'1M'"), ("caps", "100"), ("sandbox", &format!("'{}'", confinement()))] {
        if !more.contains(&format!("{key} =")) {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
    format!("{text}{more}\n")
}

/// A route.
#[must_use]
pub fn route(from: &str, service: &str, to: &str) -> String {
    let from = if from == "*" { String::new() } else { format!("from = '{from}'\n") };
    format!("[[route]]\n{from}service = '{service}'\nto = '{to}'\n")
}
