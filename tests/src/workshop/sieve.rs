//! An object whose arguments have the shapes that lies come in.

use super::{Counter, Position};
use portcullis_rpc::{Capability, Error, rpc_interface};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A value that holds others of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tree {
    /// None.
    Leaf,
    /// One.
    One(Box<Tree>),
    /// Any number.
    Many(Vec<Tree>),
}

/// What has passed a sieve, and what that took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passed {
    /// Calls whose arguments could be decoded.
    pub calls: u64,
    /// What the entrypoint's thread has computed so far, in microseconds.
    pub micros: u64,
}

/// Counts what passes: what cannot be decoded does not.
#[rpc_interface]
pub trait Sieve {
    /// What passed before this call.
    fn passed(&mut self) -> Result<Passed, Error>;
    /// A list whose elements take no bytes.
    fn nothing(&mut self, list: Vec<()>) -> Result<(), Error>;
    /// Such lists in a list.
    fn nothings(&mut self, lists: Vec<Vec<()>>) -> Result<(), Error>;
    /// Lists in lists in lists.
    fn lists(&mut self, lists: Vec<Vec<Vec<u64>>>) -> Result<(), Error>;
    /// A map whose entries take no bytes.
    fn map(&mut self, map: BTreeMap<(), ()>) -> Result<(), Error>;
    /// A value in values.
    fn tree(&mut self, tree: Tree) -> Result<(), Error>;
    /// Values of which there are few, in as many bytes.
    fn few(&mut self, position: Position, flag: bool, maybe: Option<u8>, letter: char) -> Result<(), Error>;
    /// Text and bytes of a known length.
    fn text(&mut self, text: &str, bytes: [u8; 4]) -> Result<(), Error>;
    /// Two capabilities.
    fn two(&mut self, one: Capability<dyn Counter>, other: Capability<dyn Counter>) -> Result<(), Error>;
}

/// A sieve that keeps nothing.
#[derive(Debug, Default)]
pub(super) struct Mesh {
    calls: u64,
}

impl Mesh {
    #[allow(clippy::unnecessary_wraps)] // what each method returns
    fn pass(&mut self) -> Result<(), Error> {
        self.calls += 1;
        Ok(())
    }
}

impl Sieve for Mesh {
    fn passed(&mut self) -> Result<Passed, Error> {
        let spent = clock_gettime(ClockId::ThreadCPUTime);
        let micros = spent.tv_sec * 1_000_000 + spent.tv_nsec / 1_000;
        Ok(Passed { calls: self.calls, micros: micros.unsigned_abs() })
    }

    fn nothing(&mut self, _: Vec<()>) -> Result<(), Error> {
        self.pass()
    }

    fn nothings(&mut self, _: Vec<Vec<()>>) -> Result<(), Error> {
        self.pass()
    }

    fn lists(&mut self, _: Vec<Vec<Vec<u64>>>) -> Result<(), Error> {
        self.pass()
    }

    fn map(&mut self, _: BTreeMap<(), ()>) -> Result<(), Error> {
        self.pass()
    }

    fn tree(&mut self, _: Tree) -> Result<(), Error> {
        self.pass()
    }

    fn few(&mut self, _: Position, _: bool, _: Option<u8>, _: char) -> Result<(), Error> {
        self.pass()
    }

    fn text(&mut self, _: &str, _: [u8; 4]) -> Result<(), Error> {
        self.pass()
    }

    fn two(&mut self, _: Capability<dyn Counter>, _: Capability<dyn Counter>) -> Result<(), Error> {
        self.pass()
    }
}
