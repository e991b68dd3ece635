//! What happens to the components of a composition, for a human.

use crate::config::written;
use crate::name::{Name, Service};
use crate::restart::Intensity;
use portcullis_component::Label;
use portcullis_component::Quota;
use portcullis_component::host::Exit;
use std::fmt;
use std::time::Duration;

/// Why a component has crashed.
///
/// ```
/// use portcullis_init::Cause;
/// use portcullis_component::host::Exit;
///
/// assert_eq!(Cause::Ended(Exit::Signal(11)).to_string(), "by signal 11");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It ended, and not with 0.
    Ended(Exit),
    /// It gave no sign of life for so long, and was killed.
    NoHeartbeat(Duration),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Ended(Exit::Code(code)) => write!(f, "with code {code}"),
            Cause::Ended(Exit::Signal(signal)) => write!(f, "by signal {signal}"),
            Cause::Ended(Exit::Unknown) => f.write_str("in an unknown way"),
            Cause::NoHeartbeat(period) => write!(f, "without a sign of life within {period:?}"),
        }
    }
}

/// Something that has happened to a component.
///
/// ```
/// use portcullis_init::Event;
///
/// let event = Event::Started { name: "log".parse()?, process: 1234 };
/// assert_eq!(event.to_string(), "log: started, process 1234");
/// # Ok::<_, portcullis_init::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// It runs.
    Started {
        /// Who.
        name: Name,
        /// Its process, as the system calls it.
        process: u32,
    },
    /// The system does not start it. It stays stopped.
    NotStarted {
        /// Who.
        name: Name,
        /// Why, and what to do.
        reason: String,
    },
    /// It has ended by itself, with code 0, and stays so.
    Ended {
        /// Who.
        name: Name,
    },
    /// It has crashed, and is started anew.
    Crashed {
        /// Who.
        name: Name,
        /// How.
        cause: Cause,
    },
    /// It has crashed once more than it may, and stays stopped.
    GivenUp {
        /// Who.
        name: Name,
        /// How it crashed last.
        cause: Cause,
        /// How often within the period, the last time included.
        crashes: usize,
        /// How often it may.
        intensity: Intensity,
    },
    /// It was stopped, since it is another one now or there no more.
    Stopped {
        /// Who.
        name: Name,
    },
    /// It was killed with all others, at the end of the composition.
    Killed {
        /// Who.
        name: Name,
    },
    /// It gets no session.
    Denied {
        /// Who.
        name: Name,
        /// Of which service, as it said.
        service: String,
        /// Which label it said.
        label: Label,
        /// Why.
        reason: String,
    },
    /// It gets no session, as often before. From now on that is not said.
    DeniedOften {
        /// Who.
        name: Name,
    },
    /// It has another budget.
    Budget {
        /// Who.
        name: Name,
        /// How much.
        quota: Quota,
    },
    /// It has a new configuration.
    Configured {
        /// Who.
        name: Name,
    },
    /// Another composition was given, and is wrong: nothing has changed.
    Refused {
        /// All that is wrong with it.
        problems: String,
    },
    /// The parent does not take a service that it was offered.
    NotOffered {
        /// Which.
        service: Service,
        /// Why.
        reason: String,
    },
    /// Sessions were closed, since they would lead elsewhere now.
    Closed {
        /// How many.
        sessions: usize,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Started { name, process } => write!(f, "{name}: started, process {process}"),
            Event::NotStarted { name, reason } => write!(f, "{name}: not started: {reason}"),
            Event::Ended { name } => write!(f, "{name}: ended"),
            Event::Crashed { name, cause } => write!(f, "{name}: crashed, {cause}; started anew"),
            Event::GivenUp { name, cause, intensity: Intensity { crashes: 0, .. }, .. } => {
                write!(f, "{name}: crashed, {cause}; stays stopped")
            }
            Event::GivenUp { name, cause, crashes, intensity } => write!(
                f,
                "{name}: crashed, {cause}; stays stopped after {crashes} crashes within {:?}",
                intensity.period
            ),
            Event::Stopped { name } => write!(f, "{name}: stopped"),
            Event::Killed { name } => write!(f, "{name}: killed"),
            Event::Denied { name, service, label, reason } => {
                // What a component says, for a terminal.
                let service = service.escape_default();
                write!(f, "{name}: denied a session of {service}")?;
                if !label.hops().is_empty() {
                    write!(f, ", label {label}")?;
                }
                write!(f, ": {reason}")
            }
            Event::DeniedOften { name } => write!(f, "{name}: denied more sessions, which are not listed"),
            Event::Budget { name, quota } => {
                write!(f, "{name}: has {} RAM and {} now", written(quota.ram), quota.caps)
            }
            Event::Configured { name } => write!(f, "{name}: configured anew"),
            Event::Refused { problems } => {
                write!(f, "the new composition is wrong, nothing has changed: {problems}")
            }
            Event::NotOffered { service, reason } => write!(f, "cannot offer {service}: {reason}"),
            Event::Closed { sessions: 1 } => f.write_str("closed a session that leads elsewhere now"),
            Event::Closed { sessions } => write!(f, "closed {sessions} sessions that lead elsewhere now"),
        }
    }
}
