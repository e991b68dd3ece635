//! Where a hostile component is put, and how it is asked.

use super::attempt::Attempt;
use crate::host::patient;
use portcullis_component::sandbox::{Child, Error, Mode, Program, Sandbox, Support};
use portcullis_ipc::{Capability, MsgBuf, Pd, WaitPolicy};
use rustix::io::Errno;

/// What came of an attempt: a text, or what the system said.
pub type Outcome = Result<String, Errno>;

/// A running intruder; dropping it ends it.
#[derive(Debug)]
pub struct Cell {
    /// Its process.
    pub child: Child,
    /// Its first object.
    pub first: Capability,
}

impl Cell {
    /// Starts an intruder, which is the binary at that path, in that sandbox.
    ///
    /// # Errors
    /// As `Sandbox::start`.
    pub fn start(path: &str, sandbox: &Sandbox) -> Result<Cell, Error> {
        Cell::start_program(&Program::new(path), sandbox)
    }

    /// As [`start`](Self::start), with arguments and an environment.
    ///
    /// # Errors
    /// As `Sandbox::start`.
    pub fn start_program(program: &Program, sandbox: &Sandbox) -> Result<Cell, Error> {
        let pd: Pd = patient(WaitPolicy::Adaptive)?;
        let (child, first) = sandbox.start(&pd, program)?;
        Ok(Cell { child, first })
    }

    /// Has the intruder try something.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn tries(&self, attempt: Attempt, argument: &str) -> Outcome {
        self.ask(attempt, argument).expect("the intruder answers")
    }

    /// Whether the intruder dies of what it tries.
    #[must_use]
    pub fn dies_of(&self, attempt: Attempt, argument: &str) -> bool {
        self.ask(attempt, argument) == Err(portcullis_ipc::Error::Disconnected)
    }

    fn ask(&self, attempt: Attempt, argument: &str) -> Result<Outcome, portcullis_ipc::Error> {
        let mut request = MsgBuf::new();
        request.set_method(attempt as u32, 0);
        request.write(argument.as_bytes())?;
        let mut answer = MsgBuf::new();
        self.first.call(&request, &mut answer)?;
        Ok(match answer.data() {
            [0, text @ ..] => Ok(String::from_utf8_lossy(text).into_owned()),
            [_, code @ ..] => {
                let code = code.try_into().map(i32::from_le_bytes).expect("an error is a number");
                Err(Errno::from_raw_os_error(code))
            }
            [] => panic!("the intruder answers with something"),
        })
    }
}

/// A strict sandbox.
#[must_use]
pub fn strict() -> Sandbox {
    Sandbox::default()
}

/// None.
#[must_use]
pub fn off() -> Sandbox {
    Sandbox { mode: Mode::Off, ..Sandbox::default() }
}

/// An intruder in a sandbox that is strict, and one without. Where the kernel lacks a layer there are none: it is made sure that
/// the strict sandbox refuses and says which layer that is.
///
/// # Panics
/// If a strict sandbox does not do what the system's report says.
#[must_use]
pub fn both(path: &str) -> Option<(Cell, Cell)> {
    both_in(&Program::new(path), &strict())
}

/// As [`both`], with arguments, an environment, and a sandbox that is not the default.
///
/// # Panics
/// As [`both`].
#[must_use]
pub fn both_in(program: &Program, sandbox: &Sandbox) -> Option<(Cell, Cell)> {
    let support = Support::of_this_system().expect("there is room to try it");
    let confined = Cell::start_program(program, sandbox);
    if support.strict() {
        let confined =
            confined.unwrap_or_else(|error| panic!("there is all that it needs, and yet: {error}"));
        let free = Cell::start_program(program, &Sandbox { mode: Mode::Off, ..sandbox.clone() });
        return Some((confined, free.expect("without a sandbox it runs everywhere")));
    }
    match confined {
        Err(Error::Lacking { layer, .. }) => assert!(!support.has(layer), "{layer} is there"),
        other => panic!("{:?} is lacking, and yet: {other:?}", support.lacks()),
    }
    None
}
