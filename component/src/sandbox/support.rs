//! What this kernel allows.

use super::birth::Birth;
use super::delivery::{self, Delivery};
use super::filter;
use super::group::Group;
use super::layer::Layer;
use super::libraries;
use super::owner::Owner;
use super::step::Step;
use super::sys::kernel;
use super::view::View;
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
/// for lack in Support::of_this_system().lacks() {
///     println!("{}: {}; {}", lack.layer, lack.reason, lack.layer.remedy());
/// }
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
/// let support = Support::of_this_system();
/// assert_eq!(support.strict(), Layer::ALL.into_iter().filter(|layer| layer.needed()).all(|layer| support.has(layer)));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    lacks: Vec<Lack>,
    landlock: Option<i64>,
}

impl Lack {
    /// What is missing of these layers.
    pub(crate) fn among(layers: impl IntoIterator<Item = Layer>) -> Vec<Lack> {
        let landlock = kernel::landlock_version();
        let lack = |layer| Some(Lack { layer, reason: attempt(layer, landlock).err()? });
        layers.into_iter().filter_map(lack).collect()
    }
}

impl Support {
    /// What the kernel allows this process. Tried when it is first asked for; afterwards the answer is the same.
    #[must_use]
    pub fn of_this_system() -> &'static Support {
        static SUPPORT: OnceLock<Support> = OnceLock::new();
        SUPPORT.get_or_init(Support::tried)
    }

    fn tried() -> Support {
        Support { lacks: Lack::among(Layer::ALL), landlock: kernel::landlock_version().ok() }
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

fn attempt(layer: Layer, landlock: Result<i64, Errno>) -> Result<(), String> {
    let refused = |reason: Errno| reason.to_string();
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
            Ok(version) => Err(format!("Landlock has version {version}, and scopes from {SCOPES} on")),
            Err(reason) => Err(refused(reason)),
        },
        Layer::Seccomp => kernel::seccomp_answers().map_err(refused),
        // Nothing has that number.
        Layer::Descriptors => kernel::close_at_exec_from(u32::MAX).map_err(refused),
        Layer::OwnUser => match Owner::available() {
            Owner::Own => Ok(()),
            Owner::Parents => Err("only root can give each component a user id of its own".into()),
        },
        Layer::MemoryGroup => Group::new(TRIED).map(drop),
    }
}

/// Whether a process in these namespaces can be made, and if that is what it is about, see a file system of its own, or be kept to one
/// program.
fn born(namespaces: libc::c_int, layer: Layer) -> Result<(), String> {
    let said = |error: super::Error| error.to_string();
    let owner = (namespaces != 0).then(Owner::available);
    let (ours, parent) = delivery::line().map_err(said)?;
    let one_program = (layer == Layer::OneProgram).then(filter::one_program).transpose();
    let one_program = one_program.map_err(|_| said(super::Error::NoFilter))?;
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
    match delivery::deliver(namespaces, owner, &ours, birth, |_| Ok(())).map_err(said)? {
        Delivery::Ended(report) if report.step == Step::Done => Ok(()),
        Delivery::Ended(report) => Err(format!("{}: {}", report.step.what(), report.reason)),
        Delivery::Runs(_) => Err("the process that tried it died".into()),
    }
}
