//! What a file says, once all of it is right.

use super::binaries::Binary;
use super::problem::{Problem, Problems};
use crate::name::{Name, Service};
use crate::restart::Intensity;
use crate::route::Route;
use portcullis_component::CapQuota;
use portcullis_shm::RamQuota;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How a component is confined.
///
/// ```
/// use portcullis_init::Sandbox;
///
/// assert_eq!(Sandbox::default(), Sandbox::Strict);
/// assert_eq!(Sandbox::Off.to_string(), "off");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sandbox {
    /// By all means that Portcullis knows. Where the system lacks one, the component does not start.
    #[default]
    Strict,
    /// By the means that the system has.
    Available,
    /// Not at all: it can do what its parent can.
    Off,
}

impl Sandbox {
    /// As in a composition file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Sandbox::Strict => "strict",
            Sandbox::Available => "available",
            Sandbox::Off => "off",
        }
    }
}

impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a component is configured with: text, of which only the component knows what it means.
///
/// A table of the composition file is here as TOML in one form, so that two tables that say the same are equal. A component
/// that composes others gets its own composition that way.
///
/// ```
/// use portcullis_init::{Composition, Config};
///
/// let file = "[[component]]\nname = 'a'\nbinary = 'a'\nram = '4M'\ncaps = 9\nconfig = { b = 2, a = 1 }";
/// let composition = Composition::parse(file)?;
/// assert_eq!(composition.components()[0].config.as_str(), "a = 1\nb = 2\n");
/// # Ok::<_, portcullis_init::Problems>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Config(String);

impl Config {
    pub(crate) fn new(text: String) -> Config {
        Config(text)
    }

    /// As text. Empty if the file says nothing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A component, as it is to be started.
///
/// ```
/// let file = "[[component]]\nname = 'clock'\nbinary = 'bin/clock'\nram = '4M'\ncaps = 50";
/// let composition = portcullis_init::Composition::parse(file)?;
/// assert_eq!(composition.components()[0].ram.in_bytes(), 4 << 20);
/// # Ok::<_, portcullis_init::Problems>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// Its name, which no other component of the file has.
    pub name: Name,
    /// Its executable. A relative path begins at the directory of the file.
    pub binary: PathBuf,
    /// Its arguments, without the program's name.
    pub args: Vec<String>,
    /// The RAM that it gets from its parent.
    pub ram: RamQuota,
    /// The capabilities that it gets from its parent.
    pub caps: CapQuota,
    /// The services that it may announce.
    pub provides: BTreeSet<Service>,
    /// What it is configured with. It may change while the component runs.
    pub config: Config,
    /// How many crashes it is started anew after.
    pub restart: Intensity,
    /// How soon it answers its parent, who asks as often; who does not has crashed. Nobody asks if there is none.
    pub heartbeat: Option<Duration>,
    /// How it is confined.
    pub sandbox: Sandbox,
}

/// What the parent of a composition is known to give it. What is not known is not checked.
///
/// ```
/// use portcullis_init::{Composition, Given, RamQuota};
///
/// let file = "[[component]]\nname = 'a'\nbinary = 'a'\nram = '4M'\ncaps = 9";
/// let given = Given { ram: Some(RamQuota::bytes(1 << 20)), ..Given::default() };
/// assert!(Composition::parse_within(file, &given).is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// RAM for all components together.
    pub ram: Option<RamQuota>,
    /// Capabilities for all components together.
    pub caps: Option<CapQuota>,
    /// The services that a route to the parent can be for.
    pub services: Option<BTreeSet<Service>>,
}

/// A composition that is right as a whole: what names mean is there, each rule can match, and budgets add up.
///
/// Two are equal if the same components run in the same way and the same routes come in the same order.
///
/// ```
/// use portcullis_init::Composition;
///
/// let composition = Composition::parse(r#"
///     [[component]]
///     name = "log"
///     binary = "bin/log"
///     ram = "4M"
///     caps = 100
///     provides = ["Log"]
///
///     [[component]]
///     name = "shell"
///     binary = "bin/shell"
///     ram = "16M"
///     caps = 200
///
///     [[route]]
///     service = "Log"
///     to = "log"
/// "#)?;
/// assert_eq!(composition.components().len(), 2);
/// assert_eq!(composition.ram(), portcullis_init::RamQuota::mib(20));
/// # Ok::<_, portcullis_init::Problems>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Composition {
    components: Vec<Component>,
    routes: Vec<Route>,
    /// Those of the compositions within it, too, as far as it is known where their paths begin.
    binaries: Vec<Binary>,
    warnings: Vec<Problem>,
}

impl PartialEq for Composition {
    fn eq(&self, other: &Composition) -> bool {
        self.components == other.components && self.routes == other.routes
    }
}

impl Eq for Composition {}

impl Composition {
    pub(super) fn new(
        components: Vec<Component>,
        routes: Vec<Route>,
        binaries: Vec<Binary>,
        warnings: Vec<Problem>,
    ) -> Composition {
        Composition { components, routes, binaries, warnings }
    }

    /// Reads and checks a composition file. Does not look at the file system.
    ///
    /// # Errors
    /// [`Problems`]: all that is wrong with it.
    pub fn parse(file: impl AsRef<[u8]>) -> Result<Composition, Problems> {
        Composition::parse_within(file, &Given::default())
    }

    /// The same, held against what the parent gives.
    ///
    /// # Errors
    /// [`Problems`]: all that is wrong with it.
    pub fn parse_within(file: impl AsRef<[u8]>, given: &Given) -> Result<Composition, Problems> {
        super::document::parse(file.as_ref(), given)
    }

    /// The components, in the order of the file.
    #[must_use]
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The component of that name.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name.as_str() == name)
    }

    /// The routes, the first of which that matches decides.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// What is allowed and probably not meant.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The RAM of all components together. That it can be counted has been checked.
    #[must_use]
    pub fn ram(&self) -> RamQuota {
        RamQuota::bytes(self.components.iter().map(|component| component.ram.in_bytes()).sum())
    }

    /// The capabilities of all components together.
    #[must_use]
    pub fn caps(&self) -> CapQuota {
        CapQuota::new(self.components.iter().map(|component| component.caps.count()).sum())
    }

    /// The binaries that the file names.
    pub(super) fn binaries(&self) -> &[Binary] {
        &self.binaries
    }
}
