//! Every shape of argument and result crosses both ways between processes.

#[path = "../../../rpc/tests/support/echo.rs"]
#[allow(dead_code)] // the mirror is in the other process
mod echo;
mod hall;
#[path = "../../../rpc/tests/support/shapes.rs"]
mod shapes;

use echo::{Echo, Number};
use hall::Hall;
use portcullis_ipc::{Child, WaitPolicy};
use portcullis_rpc::{Capability, Client};
use portcullis_tests::host::patient;
use std::process::Command;
use std::sync::LazyLock;

/// A process with a mirror and with capabilities to 0, 1, 2 and so on.
struct Mirror {
    capability: Capability<dyn Echo>,
    numbers: Vec<Capability<dyn Number>>,
    /// It ends with this process.
    _child: Child,
}

static MIRROR: LazyLock<Mirror> = LazyLock::new(|| {
    let pd = patient(WaitPolicy::Adaptive).expect("a domain needs nothing");
    let program = Command::new(env!("CARGO_BIN_EXE_mirror"));
    let (child, root) = pd.spawn(program).expect("the process starts");
    let mut hall = Capability::<dyn Hall>::from_untyped(root).client();
    Mirror {
        capability: hall.mirror().expect("the hall has one"),
        numbers: (0..8).map(|number| hall.number(number).expect("the hall makes it")).collect(),
        _child: child,
    }
});

fn mirror() -> Client<dyn Echo> {
    MIRROR.capability.client()
}

fn numbers() -> &'static [Capability<dyn Number>] {
    &MIRROR.numbers
}
