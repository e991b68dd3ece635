//! Every shape of argument and result crosses both ways within a process, to another thread.

#[path = "support/shapes.rs"]
mod shapes;
mod support;

use portcullis_rpc::{Capability, Client};
use std::sync::LazyLock;
use support::echo::{self, Echo, Mirror, Number};
use support::{host, host_all};

static MIRROR: LazyLock<Capability<dyn Echo>> = LazyLock::new(|| host::<dyn Echo, _>(|| Mirror));
static NUMBERS: LazyLock<Vec<Capability<dyn Number>>> =
    LazyLock::new(|| host_all::<dyn Number, u32>(|| (0..8).collect()));

fn mirror() -> Client<dyn Echo> {
    MIRROR.client()
}

fn numbers() -> &'static [Capability<dyn Number>] {
    &NUMBERS
}
