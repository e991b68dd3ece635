//! What this kernel allows.

use super::birth::Birth;
use super::delivery::{self, Delivery};
use super::error::Error;
use super::filter;
use super::group::Group;
use super::layer::Layer;
use super::libraries;
use super::owner::Owner;
use super::step::Step;
use super::sys::kernel;
use super::view::View;
use rustix::event::EventfdFlags;
use rustix::io::Errno;
use std::fs::File;
use std::path::Path;
use std::sync::OnceLock;

/// The first version of Landlock that has scopes.
const SCOPES: i64 = 6;

/// The limit of the group with which it is tried, in bytes.
const TRIED: u64 = 1 << 20;

/// A layer that is missing, and why.
///
/// ```
/// use portcullis_component::sandbox::Support;
///
/// for lack in Support::of_this_system()?.lacks() {
///     println!("{}: {}; {}", lack.layer, lack.reason, lack.layer.remedy());
/// }
/// # Ok::<_, portcullis_component::sandbox::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lack {
    /// What is missing.
    pub layer: Layer,
    /// What the kernel says, or what is not there.
    pub reason: String,
}

/// Which layers of a sandbox there are, found out by trying each of them on a process that does nothing else.
///
/// ```
/// use portcullis_component::sandbox::{Layer, Support};
///
/// let support = Support::of_this_system()?;
/// assert_eq!(support.strict(), Layer::ALL.into_iter().filter(|layer| layer.needed()).all(|layer| support.has(layer)));
/// # Ok::<_, portcullis_component::sandbox::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    lacks: Vec<Lack>,
    landlock: Option<i64>,
}

impl Lack {
    /// What is missing of these layers.
    ///
    /// # Errors
    /// As of [`Support::of_this_system`].
    pub(crate) fn among(layers: impl IntoIterator<Item = Layer>) -> Result<Vec<Lack>, Error> {
        let landlock = kernel::landlock_version();
        let mut lacks = Vec::new();
        for layer in layers {
            match attempt(layer, landlock) {
                Ok(()) => {}
                Err(Missed::Lacks(reason)) => lacks.push(Lack { layer, reason }),
                Err(Missed::Untried(error)) => return Err(error),
            }
        }
        Ok(lacks)
    }
}

impl Support {
    /// What the kernel allows this process. Tried when it is first asked for; afterwards the answer is the same.
    ///
    /// # Errors
    /// [`Error::System`] if there is too little of something at the moment to find that out, such as descriptors or processes: what
    /// passes is no lack, and it is tried again when it is asked for again.
    pub fn of_this_system() -> Result<&'static Support, Error> {
        static SUPPORT: OnceLock<Support> = OnceLock::new();
        if let Some(support) = SUPPORT.get() {
            return Ok(support);
        }
        has_room()?;
        let lacks = Lack::among(Layer::ALL)?;
        let landlock = kernel::landlock_version().ok();
        Ok(SUPPORT.get_or_init(|| Support { lacks, landlock }))
    }

    /// Whether the layer is there.
    #[must_use]
    pub fn has(&self, layer: Layer) -> bool {
        self.lacks.iter().all(|lack| lack.layer != layer)
    }

    /// What is missing.
    #[must_use]
    pub fn lacks(&self) -> &[Lack] {
        &self.lacks
    }

    /// Whether a strict sandbox is possible.
    #[must_use]
    pub fn strict(&self) -> bool {
        !self.lacks.iter().any(|lack| lack.layer.needed())
    }

    /// The version of Landlock, if there is one.
    #[must_use]
    pub fn landlock(&self) -> Option<i64> {
        self.landlock
    }
}

/// Why a layer was not seen to be there.
enum Missed {
    Lacks(String),
    /// Nothing was found out.
    Untried(Error),
}

impl From<Error> for Missed {
    fn from(error: Error) -> Missed {
        match error {
            Error::System { reason: Errno::MFILE | Errno::NFILE | Errno::NOMEM | Errno::AGAIN, .. } => {
                Missed::Untried(error)
            }
            error => Missed::Lacks(error.to_string()),
        }
    }
}

/// Whether there are as many descriptors to spare as the attempts take.
fn has_room() -> Result<(), Error> {
    const TAKEN: usize = 24;
    let spare = (0..TAKEN).map(|_| rustix::event::eventfd(0, EventfdFlags::CLOEXEC));
    spare.collect::<Result<Vec<_>, _>>().map(drop).map_err(Error::system("eventfd"))
}

fn attempt(layer: Layer, landlock: Result<i64, Errno>) -> Result<(), Missed> {
    let refused = |reason: Errno| Missed::Lacks(reason.to_string());
    match layer {
        Layer::UserNamespace => born(libc::CLONE_NEWUSER, layer),
        Layer::PidNamespace => born(libc::CLONE_NEWUSER | libc::CLONE_NEWPID, layer),
        Layer::NetworkNamespace => born(libc::CLONE_NEWUSER | libc::CLONE_NEWNET, layer),
        Layer::IpcNamespace => born(libc::CLONE_NEWUSER | libc::CLONE_NEWIPC, layer),
        Layer::UtsNamespace => born(libc::CLONE_NEWUSER | libc::CLONE_NEWUTS, layer),
        Layer::View => born(libc::CLONE_NEWUSER | libc::CLONE_NEWNS, layer),
        Layer::OneProgram => born(0, layer),
        Layer::Landlock => landlock.map(drop).map_err(refused),
        Layer::Scopes => match landlock {
            Ok(SCOPES..) => Ok(()),
            Ok(version) => {
                Err(Missed::Lacks(format!("Landlock has version {version}, and scopes from {SCOPES} on")))
            }
            Err(reason) => Err(refused(reason)),
        },
        Layer::Seccomp => kernel::seccomp_answers().map_err(refused),
        // Nothing has that number.
        Layer::Descriptors => kernel::close_at_exec_from(u32::MAX).map_err(refused),
        Layer::OwnUser => match Owner::available() {
            Owner::Own => Ok(()),
            Owner::Parents => {
                Err(Missed::Lacks("only root can give each component a user id of its own".into()))
            }
        },
        Layer::MemoryGroup => Group::new(TRIED).map(drop).map_err(Missed::Lacks),
    }
}

/// Whether a process in these namespaces can be made, and if that is what it is about, see a file system of its own, or be kept to one
/// program.
fn born(namespaces: libc::c_int, layer: Layer) -> Result<(), Missed> {
    let owner = (namespaces != 0).then(Owner::available);
    let (ours, parent) = delivery::line()?;
    let one_program = (layer == Layer::OneProgram).then(filter::one_program).transpose();
    let one_program = one_program.map_err(|_| Error::NoFilter)?;
    let view = (layer == Layer::View).then(|| {
        // What every component is shown; a program without libraries has a view without files.
        let path = Path::new("/proc/self/exe");
        let libraries = File::open(path).map(|program| libraries::of(path, &program).unwrap_or_default());
        let libraries = libraries.unwrap_or_default();
        View::of(libraries.iter().map(|(path, _)| (path.as_path(), false)))
    });
    let birth = Birth {
        parent,
        identity: owner.map(Owner::identity),
        view: view.flatten(),
        limits: Vec::new(),
        streams: None,
        portal: None,
        closes_others: false,
        one_program,
        rules: None,
        filters: &[],
        program: None,
    };
    match delivery::deliver(namespaces, owner, &ours, birth, |_| Ok(()))? {
        Delivery::Ended(report) if report.step == Step::Done => Ok(()),
        Delivery::Ended(report) => Err(Missed::Lacks(format!("{}: {}", report.step.what(), report.reason))),
        Delivery::Runs(_) => Err(Missed::Lacks("the process that tried it died".into())),
    }
}
