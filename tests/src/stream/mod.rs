//! The two sides of packet streams, in processes of their own: the program `stream`.
//!
//! - [`busy`]: sides that work as hard as they can, and are held up at random.
//! - [`raw`]: a side that keeps to no rules.
//! - [`payload`]: what devices say of their packets; [`devices`]: such devices.
//! - [`turns`]: a sink that is driven by signals.

pub mod busy;
pub mod devices;
pub mod payload;
pub mod raw;
pub mod turns;

use portcullis_ipc::WaitPolicy;
use portcullis_packet_stream::{Control, Geometry};
use portcullis_shm::{
    Attachment, Attributes, Dataspace, DataspaceCapability, RamAccount, RamAllocator, RamQuota, Window,
};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

/// What can fail in a test's own process.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The control fields of the streams here: the number of a packet.
pub type Number = u32;

/// A stream for a test, and what its other side must be told.
#[derive(Debug)]
pub struct Stage {
    /// Who owns it.
    pub dataspace: Dataspace,
    /// Its measures.
    pub geometry: Geometry,
}

impl Stage {
    /// A new dataspace for a stream of these measures.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(submit: u32, acknowledge: u32, buffer: usize) -> Result<Stage, Failure> {
        Stage::of::<Number>(submit, acknowledge, buffer)
    }

    /// The same for other control fields.
    ///
    /// # Errors
    /// What the system says.
    pub fn of<D: Control>(submit: u32, acknowledge: u32, buffer: usize) -> Result<Stage, Failure> {
        let geometry = Geometry::new(submit, acknowledge, buffer)?;
        let dataspace =
            RamAllocator::new(&RamAccount::new(RamQuota::mib(64))).alloc(Stage::bytes::<D>(geometry))?;
        Ok(Stage { dataspace, geometry })
    }

    /// The size of the dataspace: room for a stream there and one back.
    #[must_use]
    pub fn bytes<D: Control>(geometry: Geometry) -> usize {
        portcullis_packet_stream::Duplex::<D, D>::bytes([geometry, geometry])
    }

    /// All of it.
    ///
    /// # Errors
    /// What the system says.
    pub fn attach(&self) -> Result<Attachment, Failure> {
        Ok(self.dataspace.attach(Window::WHOLE)?)
    }

    /// Starts the program as somebody who gets the dataspace, the measures and more arguments.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(&self, program: &str, role: &str, arguments: &[&str]) -> Result<Child, Failure> {
        let mut command = self.command(program, &[role])?;
        Ok(command.args(arguments).stdout(Stdio::piped()).spawn()?)
    }

    /// The command that starts a program with these arguments, and then the dataspace and the measures.
    ///
    /// # Errors
    /// What the system says.
    pub fn command(&self, program: &str, arguments: &[&str]) -> Result<Command, Failure> {
        let sent = self.dataspace.capability();
        let measures = [self.geometry.submit(), self.geometry.acknowledge(), self.geometry.buffer()];
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg(sent.attributes().bits().to_string())
            .args(measures.map(|measure| measure.to_string()))
            .stdin(Stdio::from(sent.as_fd().try_clone_to_owned()?));
        Ok(command)
    }
}

/// The program's side of [`Stage::start`]: the dataspace and the measures, by the first four arguments.
///
/// # Errors
/// What the system says.
pub fn received(arguments: &[String]) -> Result<(portcullis_shm::ForeignDataspace, Geometry), Failure> {
    let number = |index: usize| -> Result<u64, Failure> {
        Ok(arguments.get(index).ok_or("an argument is missing")?.parse()?)
    };
    let descriptor = std::io::stdin().as_fd().try_clone_to_owned()?;
    let dataspace =
        DataspaceCapability::from_parts(descriptor, Attributes::from_bits(number(0)?)).import()?;
    let geometry = Geometry::new(number(1)?.try_into()?, number(2)?.try_into()?, number(3)?.try_into()?)?;
    Ok((dataspace, geometry))
}

/// A wait policy by name.
#[must_use]
pub fn policy(name: &str) -> WaitPolicy {
    match name {
        "spin" => WaitPolicy::Spin,
        "block" => WaitPolicy::Block,
        _ => WaitPolicy::Adaptive,
    }
}
