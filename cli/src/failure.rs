//! What can go wrong, what to do about it, and the code with which the command ends.

use crate::output::note;
use portcullis_init::Problems;
use std::io::ErrorKind;
use std::process::ExitStatus;
use thiserror::Error;

#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("cannot read '{name}': {error}; name a file that can be read, or - for standard input")]
    Input { name: String, error: std::io::Error },
    #[error("'{0}' is a directory; name a file")]
    Directory(String),
    #[error("'{0}' can be read once only; name a file, or choose one way by --via")]
    ReadOnce(String),
    #[error("'{0}' can be read once only; name a file, which can be read again")]
    ReadAgain(String),
    #[error("'{0}' is empty; name a file with something in it")]
    Empty(String),
    #[error("'{name}' has more than {most} bytes; name a smaller file")]
    TooLarge { name: String, most: usize },
    #[error("cannot offer the intruder a server to attack: {0}")]
    Arena(std::io::Error),
    #[error("cannot share the input: {0}")]
    Memory(portcullis_shm::Error),
    #[error("cannot write the result: {0}")]
    Output(std::io::Error),
    #[error("cannot find the program of this very process, to start components with: {0}")]
    OwnProgram(std::io::Error),
    #[error("cannot start the component {name}: {error}")]
    Start { name: &'static str, error: portcullis_ipc::Error },
    #[error("cannot kill the component {name}: {error}")]
    Kill { name: &'static str, error: portcullis_ipc::Error },
    #[error("the {name} process ({id}) ended before the result was there ({status}); run the command again")]
    Died { name: &'static str, id: u32, status: ExitStatus },
    #[error(
        "the {name} process ({id}) does not answer; it is stopped or the machine is overloaded: run the command again"
    )]
    Silent { name: &'static str, id: u32 },
    #[error(
        "the {name} process ({id}) does not answer: it may have {limit} descriptors, and not {spare} of them are free, without which it reads nothing; allow more of them (ulimit -n) and run the command again"
    )]
    Descriptors { name: &'static str, id: u32, limit: u64, spare: u64 },
    #[error("{0}; run the command again")]
    Demo(String),
    #[error("there is no component '{0}'; components are started by `portcullis demo`")]
    NoComponent(String),
    #[error("component {name}: {error}")]
    Component { name: String, error: portcullis_entrypoint::Error },
    #[error(transparent)]
    Bench(#[from] portcullis_bench::Error),
    #[error("cannot write '{name}': {error}; name a file that can be written")]
    Graph { name: String, error: std::io::Error },
    #[error("{lines}", lines = problems.in_file(file.as_ref()))]
    Composition { file: String, problems: Problems },
    #[error("{0}; nothing was started")]
    NotStarted(#[from] portcullis_init::NotStarted),
    #[error("cannot run compositions here: {0}")]
    Root(portcullis_component::Error),
    #[error("cannot serve components: {0}")]
    Serve(#[from] portcullis_entrypoint::Error),
    #[error("cannot find out what this kernel allows: {0}; try again when there is more room")]
    Untried(portcullis_component::sandbox::Error),
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
    #[error("ended by signal {0}")]
    Interrupted(u8),
    #[error("{0}; name a file that can be read")]
    Unread(String),
}

impl Failure {
    /// What is wrong with a composition file.
    pub(crate) fn composition(file: &str, problems: Problems) -> Failure {
        Failure::Composition { file: file.into(), problems }
    }

    /// Says it on standard error, and answers with the code to end with.
    pub(crate) fn report(&self) -> u8 {
        match self {
            // The codes with which a shell reports death by SIGPIPE and other signals: nobody reads what we would say.
            Failure::Output(error) if error.kind() == ErrorKind::BrokenPipe => 128 + 13,
            Failure::Interrupted(signal) => 128 + signal,
            Failure::Bench(portcullis_bench::Error::NoSuchCase { .. }) => self.say(2),
            // Each line begins with the file, as those of compilers do.
            Failure::Composition { .. } => {
                note(format_args!("{self}"));
                1
            }
            _ => self.say(1),
        }
    }

    fn say(&self, code: u8) -> u8 {
        note(format_args!("portcullis: {self}"));
        code
    }
}
