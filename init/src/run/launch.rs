//! From a component of a composition to a process.

use crate::config::{Component, Sandbox as Confinement};
use portcullis_component::host::{Host, Spec};
use portcullis_component::sandbox::{Bounds, Mode, PROGRAM, Program, Sandbox};
use portcullis_component::{Error, Quota};
use std::path::PathBuf;

/// Who starts processes, and where relative paths of binaries begin.
#[derive(Clone, Debug)]
pub(super) enum Launch {
    /// Whoever runs the composition.
    Itself(PathBuf),
    /// The parent, or whoever it has found: a process that is confined starts none.
    Parent(PathBuf),
}

/// What a component gets from its parent.
pub(super) fn quota(component: &Component) -> Quota {
    Quota { ram: component.ram, caps: component.caps }
}

/// The limit of its memory group.
pub(super) fn memory(component: &Component) -> u64 {
    component.ram.in_bytes().saturating_add(PROGRAM)
}

/// How much it is confined.
pub(super) fn mode(component: &Component) -> Mode {
    match component.sandbox {
        Confinement::Strict => Mode::Strict,
        Confinement::Available => Mode::Available,
        Confinement::Off => Mode::Off,
    }
}

impl Launch {
    /// Whether a component can be started, as far as that is known before; the reason if not.
    pub(super) fn check(&self, component: &Component, host: &Host) -> Result<(), String> {
        let program = self.program(component);
        match self {
            Launch::Itself(_) => sandbox(component).check(&program).map_err(|error| error.to_string()),
            Launch::Parent(_) => host
                .check_spawned(quota(component), mode(component), &program)
                .or_else(later)
                .map_err(|error| error.to_string()),
        }
    }

    /// What is started for a component.
    pub(super) fn spec(&self, component: &Component) -> Spec {
        let (name, quota, program) = (component.name.as_str(), quota(component), self.program(component));
        match self {
            Launch::Itself(_) => Spec::confined(name, quota, sandbox(component), program),
            Launch::Parent(_) => Spec::spawned(name, quota, mode(component), program),
        }
    }

    fn program(&self, component: &Component) -> Program {
        let (Launch::Itself(directory) | Launch::Parent(directory)) = self;
        component.args.iter().fold(Program::new(directory.join(&component.binary)), Program::argument)
    }
}

/// What is short now may be there when it comes to the start.
fn later(error: Error) -> Result<(), Error> {
    match error {
        Error::OutOfRam { .. } | Error::OutOfCaps { .. } => Ok(()),
        error => Err(error),
    }
}

fn sandbox(component: &Component) -> Sandbox {
    let descriptors = Bounds::descriptors_for(component.caps);
    let bounds = Bounds { memory: Some(memory(component)), descriptors, ..Bounds::default() };
    Sandbox { mode: mode(component), bounds, ..Sandbox::default() }
}
