//! The intruder component: what somebody could try who has taken a component over.

use super::Failed;
use super::interface::{Attempt, Count, Event, Stage, Targets};
use portcullis_component::{Env, Error};
use portcullis_rpc::Capability;
use portcullis_sessions::log::Log;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{self, Read};
use std::net::TcpStream;
use std::process::Command;

/// Runs the component.
///
/// # Errors
/// Why it has failed.
pub fn construct(env: &Env) -> Result<(), Failed> {
    let mut stage = env.connect::<dyn Stage>("intruder", &())?;
    let targets = stage.targets()?;
    for attempt in Attempt::ALL {
        let outcome = match attempt {
            Attempt::Session => open_session(env),
            Attempt::Capability => use_capability(env)?,
            other => by_system(other, &targets).map_err(|error| error.to_string()),
        };
        stage.tell(Event::Tried { attempt, outcome })?;
    }
    env.exit(0);
    Ok(())
}

/// Tries what takes the system alone, by this very process. Answers with what it got.
///
/// # Errors
/// How the system has refused it.
pub fn by_system(attempt: Attempt, targets: &Targets) -> io::Result<String> {
    let Targets { file, address, process } = targets;
    match attempt {
        Attempt::File => {
            let bytes = fs::read(file)?.len();
            Ok(format!("{bytes} bytes of {file}"))
        }
        Attempt::Directory => {
            let first = fs::read_dir("/home")?.count();
            Ok(format!("{first} names in /home"))
        }
        Attempt::Network => {
            TcpStream::connect(address)?;
            Ok(format!("a connection to {address}"))
        }
        Attempt::Process => {
            let number =
                i32::try_from(*process).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
            // Does nothing, and nothing is refused as what does something is.
            kill_process(number, Signal::CONT)?;
            Ok(format!("a signal to process {process}"))
        }
        Attempt::Memory => {
            let mut maps = String::new();
            fs::File::open(format!("/proc/{process}/maps"))?.read_to_string(&mut maps)?;
            Ok(format!("where the memory of process {process} lies"))
        }
        Attempt::Program => {
            Command::new("/bin/true").status()?;
            Ok("another program".into())
        }
        Attempt::Session | Attempt::Capability => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// Opens a session of the counter, to which no route leads from here.
fn open_session(env: &Env) -> Result<String, String> {
    match env.connect::<dyn Count>("input", &()) {
        Ok(_) => Ok("a session of the counter".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Uses the capability to its log as if it were one to the counter.
fn use_capability(env: &Env) -> Result<Result<String, String>, Error> {
    let log = env.connect::<dyn Log>("intruder", &())?;
    let forged = Capability::<dyn Count>::from_untyped(log.capability().untyped().clone());
    Ok(forged.client().state().map(|_| "the counter's state".into()).map_err(|error| error.to_string()))
}
