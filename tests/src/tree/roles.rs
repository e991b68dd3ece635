//! What the binary `component` may be.

use super::puppet::puppet;
use super::stubborn::stubborn;
use portcullis_component::host::{Asked, Host, Route, Spec};
use portcullis_component::{Connection, Env, Error, Label, Opening, Quota, Sessions, run as run_component};
use portcullis_sessions::Board;
use portcullis_sessions::log::{Log, LogComponent, LogSession};
use portcullis_sessions::report::{Report, ReportComponent};
use portcullis_sessions::rom::{Rom, RomComponent};
use portcullis_sessions::terminal::{CrosslinkComponent, CrosslinkSession, Size, Terminal};
use portcullis_sessions::timer::{Timer, TimerComponent};
use std::cell::RefCell;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

/// What the child of an inner parent gets.
const INNER: Quota = Quota::new(512 << 10, 500);

/// Runs the component of that role; the other arguments are its own.
pub fn run(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    match arguments.next().as_deref() {
        Some("logger") => run_component(move |env: Env| logger(&env, arguments.next())),
        Some("puppet") => run_component(|env: Env| puppet(&env)),
        Some("inner") => run_component(|env: Env| inner(&env)),
        Some("crowd") => run_component(move |env: Env| crowd(&env, arguments)),
        Some("punctual") => run_component(move |env: Env| punctual(&env, arguments.next())),
        // Announces nothing, serves nobody, and does not end.
        Some("slow") => match arguments.next() {
            Some(directory) => run_component(move |env: Env| slow(&env, directory.into())),
            None => ExitCode::FAILURE,
        },
        Some("eager") => run_component(move |env: Env| eager(&env, &arguments.next().unwrap_or_default())),
        Some("raider") => super::raider::run(),
        Some("stubborn") => run_component(|env: Env| stubborn(&env)),
        Some("thief") => run_component(|env: Env| thief(&env)),
        Some("board") => run_component(|env: Env| board(&env)),
        Some("timer") => run_component(|env: Env| env.announce::<dyn Timer, _>(TimerComponent::new())),
        Some("terminal") => run_component(|env: Env| env.announce::<dyn Terminal, _>(Resizable::default())),
        Some("hung") => run_component(hung),
        Some("failing") => run_component(|_: Env| Err::<(), _>("it is told to fail")),
        role => {
            eprintln!("no such role: {role:?}");
            ExitCode::FAILURE
        }
    }
}

/// Serves logs, but makes a session only when there is a file `go` in the directory; it says in another one, named as the label,
/// that it was asked. While there is a file `hold` it closes none.
struct Slow(PathBuf, LogComponent);

impl Sessions<dyn Log> for Slow {
    type Session = LogSession;

    fn create(&mut self, opening: Opening<()>) -> Result<LogSession, Error> {
        let written = std::fs::write(self.0.join(opening.label.last()), "asked");
        written.map_err(|_| Error::NotGranted)?;
        while !self.0.join("go").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.1.create(opening)
    }

    fn close(&mut self, _: LogSession) {
        while self.0.join("hold").exists() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn slow(env: &Env, directory: PathBuf) -> Result<(), Error> {
    env.announce::<dyn Log, _>(Slow(directory, LogComponent::new(|_| ())))
}

/// Opens a log by itself, at once, and ends with a code that says how that went.
fn eager(env: &Env, label: &str) {
    let opened = env.connect::<dyn Log>(label, &());
    env.exit(outcome(&opened.map(drop)));
}

/// The exit code of a role for what it got.
#[must_use]
pub fn outcome(result: &Result<(), Error>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(Error::ServiceDenied { .. }) => 10,
        Err(Error::ServerDied) => 11,
        Err(Error::Closed) => 12,
        Err(Error::OutOfRam { .. }) => 13,
        Err(Error::OutOfCaps { .. }) => 14,
        Err(Error::Rpc(_)) => 15,
        Err(_) => 19,
    }
}

/// Serves puppets, and spends what was donated for them on sessions of its own, which it keeps.
fn thief(env: &Env) -> Result<(), Error> {
    struct Thief(Vec<Connection<dyn Log>>);
    impl Sessions<dyn Log> for Thief {
        type Session = LogSession;

        fn create(&mut self, opening: Opening<()>) -> Result<LogSession, Error> {
            let all = opening.env.budget()?;
            let log = opening.env.connecting("loot").donating(all).open::<dyn Log>(&())?;
            self.0.push(log);
            LogComponent::new(|_| ()).create(opening)
        }
    }
    env.announce::<dyn Log, _>(Thief(Vec::new()))
}

fn hung(_: Env) {
    loop {
        std::thread::park();
    }
}

/// Serves logs, into a file if it is told one.
fn logger(env: &Env, file: Option<String>) -> Result<(), Error> {
    let file = file.map(|file| File::options().create(true).append(true).open(file)).transpose();
    let mut file = file.map_err(|_| Error::NotGranted)?;
    env.announce::<dyn Log, _>(LogComponent::new(move |line| {
        if let Some(file) = &mut file {
            // A test that looks for a line which could not be written finds none.
            let _ = writeln!(file, "{line}");
        }
    }))
}

/// Takes reports and serves them as ROMs, under what the clients themselves chose.
fn board(env: &Env) -> Result<(), Error> {
    let board = Board::default();
    let name = |label: &Label| Some(label.last().to_owned());
    env.announce::<dyn Report, _>(ReportComponent::new(&board, name))?;
    env.announce::<dyn Rom, _>(RomComponent::new(&board, name))
}

/// Terminals that have another size when somebody asks for a session `resize`, which he is denied.
#[derive(Default)]
struct Resizable(CrosslinkComponent);

impl Sessions<dyn Terminal> for Resizable {
    type Session = CrosslinkSession;

    fn needs(&self, arguments: &()) -> Quota {
        self.0.needs(arguments)
    }

    fn create(&mut self, opening: Opening<()>) -> Result<CrosslinkSession, Error> {
        if opening.label.last() == "resize" {
            self.0.resize(Size { columns: 132, lines: 50 });
            return Err(Error::denied("terminal", "it has another size now"));
        }
        self.0.create(opening)
    }

    fn close(&mut self, session: CrosslinkSession) {
        self.0.close(session);
    }
}

thread_local! {
    /// Lives as long as its component.
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

/// A parent of so many that open a log each, and, when it is asked for quota, of one that is punctual, in that directory. All that they
/// ask for goes up.
fn crowd(env: &Env, mut arguments: impl Iterator<Item = String>) -> Result<(), Error> {
    const SMALL: Quota = Quota::new(32 << 10, 20);
    let count: u32 = arguments.next().and_then(|count| count.parse().ok()).ok_or(Error::NotGranted)?;
    let directory = arguments.next().ok_or(Error::NotGranted)?;
    let host = Host::within(env, |_: Asked<'_>| Route::Parent)?;
    let program = std::env::current_exe().map_err(|_| Error::NotGranted)?;
    let child = move |name: &str, role: &[&str]| {
        let mut command = Command::new(&program);
        command.args(role);
        Spec::process(name, SMALL, command)
    };
    for number in 0..count {
        host.start(child(&format!("waits {number}"), &["eager", "waits"]))?;
    }
    HOST.set(Some(host));
    env.when_asked_back(move |_, _| {
        // If it cannot be started, nobody finds what it would have written.
        let _ = HOST.with_borrow(|host| {
            host.as_ref().map(|host| host.start(child("punctual", &["punctual", &directory])))
        });
    });
    Ok(())
}

/// Opens and closes timers, one after the other, and writes a file `done` when that is done.
fn punctual(env: &Env, directory: Option<String>) -> Result<(), Error> {
    let before = env.budget()?;
    for _ in 0..20 {
        let timer = env.connect::<dyn Timer>("", &())?;
        Connection::upgrade(&timer, Quota::new(100, 1))?;
        Connection::close(timer)?;
    }
    let file = PathBuf::from(directory.unwrap_or_default()).join("done");
    let written = if env.budget()? == before { std::fs::write(file, "") } else { Ok(()) };
    written.map_err(|_| Error::NotGranted)?;
    env.exit(0);
    Ok(())
}

/// A parent with a puppet of its own: `log` goes up, and `puppet` comes from above.
fn inner(env: &Env) -> Result<(), Error> {
    let host = Host::within(env, |asked: Asked<'_>| match (asked.client, asked.service) {
        ("", "puppet") => Route::to("nested"),
        ("nested", "log") => Route::Parent,
        _ => Route::Denied("the inner parent knows no such service".into()),
    })?;
    let program = std::env::current_exe().map_err(|_| Error::NotGranted)?;
    let mut command = Command::new(program);
    command.arg("puppet");
    host.start(Spec::process("nested", INNER, command))?;
    host.announce_above(env, "puppet")?;
    HOST.set(Some(host));
    Ok(())
}
