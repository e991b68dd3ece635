//! Sessions between components in processes of their own, through a parent.

mod children;
mod interfaces;
mod life;
mod memory;
mod quota;
mod reports;
mod stubborn;
mod terminals;
mod waiting;

use portcullis_component::Quota;
use portcullis_tests::tree::{ALL, EACH};
use std::path::PathBuf;

/// The binary that is a component.
const COMPONENT: &str = env!("CARGO_BIN_EXE_component");

/// What the parent has left when so many children have what each gets.
fn all_but(children: u64) -> Quota {
    let given = Quota::new(EACH.ram.in_bytes() * children, EACH.caps.count() * children);
    ALL.checked_sub(given).expect("it has enough for all")
}

/// An empty directory for that test.
fn directory(test: &str) -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
    // What an earlier process of that number left.
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).expect("the target directory is writable");
    place
}
