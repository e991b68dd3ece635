//! From a component of a composition to a process.

use crate::config::{Component, Sandbox as Confinement};
use portcullis_component::Quota;
use portcullis_component::host::Spec;
use portcullis_component::sandbox::{self, Bounds, Mode, Program, Sandbox};
use std::path::Path;

/// What a process takes of memory before it does anything of its own: its program's pages, stacks, what the kernel keeps for it.
/// Where there are memory groups, its group has this beside its budget.
const PROGRAM: u64 = 32 << 20;

/// The limit of its memory group.
pub(super) fn memory(component: &Component) -> u64 {
    component.ram.in_bytes().saturating_add(PROGRAM)
}

/// What a component gets from its parent.
pub(super) fn quota(component: &Component) -> Quota {
    Quota { ram: component.ram, caps: component.caps }
}

/// Whether a component can be started, as far as that is known before.
pub(super) fn check(component: &Component, directory: &Path) -> Result<(), sandbox::Error> {
    let (sandbox, program) = confined(component, directory);
    sandbox.check(&program)
}

/// What is started for a component.
pub(super) fn spec(component: &Component, directory: &Path) -> Spec {
    let (sandbox, program) = confined(component, directory);
    Spec::confined(component.name.as_str(), quota(component), sandbox, program)
}

fn confined(component: &Component, directory: &Path) -> (Sandbox, Program) {
    let program = Program::new(directory.join(&component.binary));
    let program = component.args.iter().fold(program, Program::argument);
    let mode = match component.sandbox {
        Confinement::Strict => Mode::Strict,
        Confinement::Available => Mode::Available,
        Confinement::Off => Mode::Off,
    };
    let bounds = Bounds { memory: Some(memory(component)), ..Bounds::default() };
    (Sandbox { mode, bounds, ..Sandbox::default() }, program)
}
