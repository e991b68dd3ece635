//! What the binary `member` may be. What a member sees it writes to its log.

use super::faulty::fault;
use portcullis_component::protocol::Session;
use portcullis_component::{Connection, Env, Error, Label, Opening, Quota, Sessions, run as run_component};
use portcullis_entrypoint::{Entrypoint, SignalLevel};
use portcullis_rpc as rpc;
use portcullis_rpc::Capability;
use portcullis_sessions::Board;
use portcullis_sessions::log::{Log, LogText};
use portcullis_sessions::report::{Arguments, Report, ReportComponent};
use portcullis_sessions::rom::{Rom, RomConnection};
use portcullis_sessions::timer::{Timer, TimerComponent, TimerSession};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often a member looks whether something is different.
const LOOK: Duration = Duration::from_millis(5);

/// Runs the member of that role; the other arguments are its own.
pub fn run(mut arguments: impl Iterator<Item = String>) -> ExitCode {
    let role = arguments.next().unwrap_or_default();
    let argument = arguments.next().unwrap_or_default();
    match role.as_str() {
        "idle" => run_component(|_: Env| ()),
        "end" => run_component(move |env: Env| env.exit(argument.parse().unwrap_or(1))),
        "fault" => run_component(|env: Env| env.at(Instant::now(), |_| fault()).detach()),
        "hang" => run_component(|env: Env| hang(&env)),
        "follow" => run_component(|env: Env| follow(&env, "config")),
        "wait" => run_component(|env: Env| wait(&env).inspect_err(|error| tell(&env, error))),
        "see" => run_component(|env: Env| follow(&env, "state")),
        "hold" => run_component(|env: Env| hold(&env)),
        "brief" => run_component(|env: Env| brief(&env)),
        "relay" => run_component(move |env: Env| relay(&env, argument)),
        "write" => run_component(|env: Env| write(&env)),
        "use" => run_component(move |env: Env| use_up(&env, argument.parse().unwrap_or(0))),
        "open" => run_component(|env: Env| open(&env)),
        "probe" => run_component(|env: Env| probe(&env)),
        "budget" => run_component(move |env: Env| budget(&env, argument.parse().unwrap_or(0))),
        "board" => run_component(|env: Env| board(&env)),
        "report" => run_component(move |env: Env| report(&env, argument.parse().unwrap_or(0))),
        "timer" => run_component(|env: Env| env.announce::<dyn Timer, _>(TimerComponent::new())),
        _ => {
            eprintln!("no such role: {role:?}");
            ExitCode::FAILURE
        }
    }
}

/// Has something done again and again.
fn again(env: &Env, mut look: impl FnMut(&Env) + 'static) {
    look(env);
    env.at(Instant::now() + LOOK, move |env| again(env, look)).detach();
}

fn log(env: &Env) -> Result<Connection<dyn Log>, Error> {
    env.connect::<dyn Log>("", &())
}

/// Says why it ends: in a sandbox there is no other way.
fn tell(env: &Env, error: &Error) {
    let _ = log(env).map(|mut log| log.print(&format!("fails: {error}")));
}

/// Has so many bytes of its own, without a session of anybody.
fn use_up(env: &Env, size: usize) -> Result<(), Error> {
    let dataspace = env.ram().alloc(size)?;
    env.at(Instant::now() + Duration::from_secs(3600), move |_| drop(dataspace)).detach();
    Ok(())
}

/// Opens what is in every view.
fn open(env: &Env) -> Result<(), Error> {
    let opened = std::fs::File::open("/").map(drop).map_err(|error| error.raw_os_error());
    Ok(log(env)?.print(&format!("opens: {opened:?}"))?)
}

/// Serves for a while, and then no more.
fn hang(env: &Env) -> Result<(), Error> {
    log(env)?.print("hangs")?;
    let forever = |_: &Env| loop {
        std::thread::park();
    };
    env.at(Instant::now(), forever).detach();
    Ok(())
}

/// Writes a content, such as what it is configured with, and each change of that.
fn follow(env: &Env, what: &str) -> Result<(), Error> {
    struct Follow(RomConnection, Connection<dyn Log>);
    impl Session for Follow {}
    impl Follow {
        fn tell(&mut self, _: &Entrypoint) {
            let config = self.0.newest().unwrap_or_default();
            // Of an object no more than has room in a line.
            for object in String::from_utf8_lossy(&config).replace('\n', ";").split_inclusive('}') {
                let _ = self.1.print(object);
            }
        }
    }
    let mut follow = Follow(RomConnection::new(env, what)?, log(env)?);
    let mut rom = (*follow.0).clone();
    follow.tell(&env.entrypoint());
    let follow: Capability<dyn Session> = env.entrypoint().manage(follow);
    rom.update_signal(env.entrypoint().handle_signal(&follow, SignalLevel::Application, Follow::tell)?)
}

/// Serves logs, and writes each line to its own, with a mark; opens that anew when it is lost.
fn relay(env: &Env, mark: String) -> Result<(), Error> {
    struct Relay(String);
    struct Line(String, String, Env, Option<Connection<dyn Log>>);
    impl Sessions<dyn Log> for Relay {
        type Session = Line;
        fn create(&mut self, opening: Opening<()>) -> Result<Line, Error> {
            Ok(Line(self.0.clone(), opening.label.to_string(), opening.env, None))
        }
    }
    impl Log for Line {
        fn write(&mut self, text: &str) -> Result<usize, rpc::Error> {
            let line = format!("{} says {} {text}", self.1, self.0);
            for _ in 0..2 {
                if self.3.is_none() {
                    self.3 = log(&self.2).ok();
                }
                match self.3.as_mut().map(|log| log.print(&line)) {
                    Some(Ok(())) => return Ok(text.len()),
                    _ => self.3 = None,
                }
            }
            Err(rpc::Error::Disconnected)
        }
    }
    env.announce::<dyn Log, _>(Relay(mark))
}

/// Has a timer, and waits for another configuration.
fn wait(env: &Env) -> Result<(), Error> {
    struct Wait(RomConnection, Connection<dyn Log>, Connection<dyn Timer>);
    impl Session for Wait {}
    impl Wait {
        fn tell(&mut self, _: &Entrypoint) {
            let config = self.0.newest().unwrap_or_default();
            let _ = self.2.now();
            let _ = self.1.print(&format!("waits for {}", String::from_utf8_lossy(&config)));
        }
    }
    let mut wait = Wait(RomConnection::new(env, "config")?, log(env)?, env.connect::<dyn Timer>("", &())?);
    let mut rom = (*wait.0).clone();
    wait.tell(&env.entrypoint());
    let wait: Capability<dyn Session> = env.entrypoint().manage(wait);
    rom.update_signal(env.entrypoint().handle_signal(&wait, SignalLevel::Application, Wait::tell)?)
}

/// Serves timers, and closes none while it is configured to hold.
fn hold(env: &Env) -> Result<(), Error> {
    struct Hold(RomConnection, TimerComponent);
    impl Sessions<dyn Timer> for Hold {
        type Session = TimerSession;
        fn create(&mut self, opening: Opening<()>) -> Result<TimerSession, Error> {
            self.1.create(opening)
        }
        fn close(&mut self, _: TimerSession) {
            while self.0.newest().is_ok_and(|config| config == b"hold") {
                std::thread::sleep(LOOK);
            }
        }
    }
    env.announce::<dyn Timer, _>(Hold(RomConnection::new(env, "config")?, TimerComponent::new()))
}

/// Opens a timer, says so, and closes it.
fn brief(env: &Env) -> Result<(), Error> {
    let timer = env.connect::<dyn Timer>("", &())?;
    let mut log = log(env)?;
    drop(timer);
    log.print("closes")?;
    env.at(Instant::now() + Duration::from_secs(3600), move |_| drop(log)).detach();
    Ok(())
}

/// Writes a line, and the next one when that is written; opens its log anew when it is lost.
fn write(env: &Env) {
    let (mut number, mut open) = (0, None);
    again(env, move |env| {
        if open.is_none() {
            open = log(env).ok();
        }
        match open.as_mut().map(|log| log.print(&format!("line {number}"))) {
            Some(Ok(())) => number += 1,
            _ => open = None,
        }
    });
}

/// Has a timer whenever it can, and writes whether it has one, whenever that is different.
fn probe(env: &Env) -> Result<(), Error> {
    let (mut log, mut timer, mut last) = (log(env)?, None::<Connection<dyn Timer>>, String::new());
    again(env, move |env| {
        let now = match &mut timer {
            Some(open) => match open.now() {
                Ok(_) => "served".into(),
                Err(_) => {
                    timer = None;
                    "lost".into()
                }
            },
            None => match env.connect::<dyn Timer>("", &()) {
                Ok(open) => {
                    timer = Some(open);
                    "served".into()
                }
                Err(Error::ServiceDenied { .. }) => "denied".into(),
                Err(error) => error.to_string(),
            },
        };
        if now != last {
            let _ = log.print(&format!("timer {now}"));
            last = now;
        }
    });
    Ok(())
}

/// Writes what it has, whenever that is different; donates so much for a session, which it closes after a while.
fn budget(env: &Env, donated: u64) -> Result<(), Error> {
    let (mut log, mut last) = (log(env)?, Quota::NONE);
    let mut spent = match donated {
        0 => None,
        donated => Some(env.connecting("").donating(Quota::new(donated, 10)).open::<dyn Timer>(&())?),
    };
    let mut rom = RomConnection::new(env, "config")?;
    again(env, move |env| {
        let wants_back = rom.newest().is_ok_and(|config| config == b"close");
        if wants_back && let Some(open) = spent.take() {
            let _ = Connection::close(open);
        }
        let now = env.budget().unwrap_or_default();
        if now != last {
            let _ = log.print(&format!("has {} and {}", now.ram.in_bytes(), now.caps.count()));
            last = now;
        }
    });
    Ok(())
}

/// Takes reports.
fn board(env: &Env) -> Result<(), Error> {
    let name = |label: &Label| Some(label.to_string());
    env.announce::<dyn Report, _>(ReportComponent::new(&Board::default(), name))
}

/// Opens and closes reports of so many bytes, one after the other.
fn report(env: &Env, size: u32) -> Result<(), Error> {
    let mut log = log(env)?;
    for _ in 0..3 {
        let said = match env.connect::<dyn Report>("large", &Arguments { size }) {
            Ok(report) => Connection::close(report).map(|()| "there".to_owned()),
            Err(error) => Ok(error.to_string()),
        };
        log.print(&format!("report: {}", said?))?;
    }
    Ok(())
}
