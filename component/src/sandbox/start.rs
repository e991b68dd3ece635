//! Starting a component.

use super::birth::{Birth, Image, Parent};
use super::child_process::Child;
use super::delivery::{self, Delivery};
use super::error::Error;
use super::filter;
use super::group::Group;
use super::layer::Layer;
use super::libraries;
use super::open::{self, Opened};
use super::owner::Owner;
use super::parts::Parts;
use super::policy::{Bounds, Mode, Sandbox, Streams};
use super::program::Program;
use super::rules;
use super::step::{Report, Step};
use super::streams;
use super::support::{Lack, Support};
use super::sys::exec::Strings;
use super::sys::kernel;
use super::view::View;
use portcullis_ipc::{Capability, Pd};
use rustix::io::Errno;
use rustix::process::{Pid, Resource};
use std::ffi::{CString, OsString};
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

impl Sandbox {
    /// Starts a component in this sandbox: a process whose only link to us is a portal, its descriptor 3, which answers with the
    /// capability to its first object as `Pd::spawn` of `portcullis_ipc` does.
    ///
    /// Blocks until the program runs; that takes the kernel some milliseconds. The process outlives the calling thread; it does not
    /// outlive this process, whatever ends that and whatever the component does, unless its mode is [`Mode::Off`].
    ///
    /// # Errors
    /// [`Error::Lacking`] if the sandbox is strict and the kernel lacks a layer; [`Error::File`], [`Error::NotAProgram`],
    /// [`Error::NoLibrary`], [`Error::Unusable`] for what cannot be run; [`Error::System`] and [`Error::Step`] if the system
    /// refuses something else.
    pub fn start(&self, pd: &Pd, program: &Program) -> Result<(Child, Capability), Error> {
        if self.mode == Mode::Off {
            let (child, first) = pd.spawn(program.command())?;
            return Ok((Child::free(child), first));
        }
        let mut parts = Parts::of(self.mode)?;
        let (first, portal) = pd.portal()?;
        let (ours, parent) = delivery::line()?;
        let birth = self.birth(&parts, program, parent, portal)?;
        let group = self.group(&mut parts);
        let join = |child: Pid| match &group {
            Some(group) => group.take_in(child).map_err(Error::io("write to cgroup.procs")),
            None => Ok(()),
        };
        match delivery::deliver(parts.namespaces(), parts.owner(), &ours, birth, join) {
            Ok(Delivery::Runs(process)) => Ok((Child::confined(process, parts.left_out, group), first)),
            Ok(Delivery::Ended(report)) => Err(self.failed(report)),
            Err(Error::System { call: "clone", reason }) => Err(self.not_made(reason)),
            Err(error) => Err(error),
        }
    }

    /// Whether the program can be started in this sandbox, as far as that can be known before: it is there, it is a program, its
    /// libraries are found, and the kernel has what the sandbox needs. Starts nothing. Blocks for some milliseconds.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn check(&self, program: &Program) -> Result<(), Error> {
        if self.mode == Mode::Off {
            return Ok(());
        }
        let missing = Support::of_this_system()?.lacks().iter().find(|lack| lack.layer.needed());
        if let (Mode::Strict, Some(lack)) = (self.mode, missing) {
            return Err(Error::Missing { layer: lack.layer, reason: lack.reason.clone() });
        }
        let (ours, parent) = delivery::line()?;
        self.birth(&Parts::of(self.mode)?, program, parent, ours).map(drop)
    }

    /// The memory group of the component, if there is to be one and can be.
    fn group(&self, parts: &mut Parts) -> Option<Group> {
        let group = Group::new(self.bounds.memory?);
        let lack = |reason| parts.left_out.push(Lack { layer: Layer::MemoryGroup, reason });
        group.map_err(lack).ok()
    }

    /// Everything that the child needs.
    fn birth(
        &self,
        parts: &Parts,
        program: &Program,
        parent: Parent,
        portal: OwnedFd,
    ) -> Result<Birth, Error> {
        let path = program.path();
        let unread = |path: &Path| {
            let path = path.to_owned();
            move |reason| Error::File { path, reason }
        };
        let file = open::file(path).map_err(unread(path))?.ok_or_else(|| Error::NotAProgram(path.into()))?;
        let libraries = libraries::of(path, &file)?;
        let readable = self
            .readable
            .iter()
            .map(|path| {
                let neither =
                    || io::Error::new(ErrorKind::InvalidInput, "it is neither a file nor a directory");
                match open::open(path).and_then(|opened| opened.ok_or_else(neither)).map_err(unread(path))? {
                    Opened::File(file) => Ok((path, file, false)),
                    Opened::Directory(directory) => Ok((path, directory, true)),
                }
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let arguments = strings(program.arguments())?;
        let environment = strings(program.environment())?;
        let view = parts.has(Layer::View).then(|| {
            let libraries = libraries.iter().map(|(path, _)| (path.as_path(), false));
            let readable = readable.iter().map(|(path, _, directory)| (path.as_path(), *directory));
            View::of(libraries.chain(readable)).ok_or_else(|| Error::Unusable(self.unusable()))
        });
        let view = view.transpose()?;
        let rules = if parts.has(Layer::Landlock) {
            let runnable = libraries.iter().map(|(_, file)| file).chain([&file]);
            let readable = readable.iter().map(|(_, file, directory)| (file, *directory));
            let rules =
                rules::rules(runnable, readable).map_err(|error| Error::NoRules(error.to_string()))?;
            let rules = rules.ok_or_else(|| Error::Lacking {
                layer: Layer::Landlock,
                what: Step::Landlock.what(),
                reason: kernel::landlock_version().err().unwrap_or(Errno::NOSYS),
            })?;
            Some(delivery::place(rules)?)
        } else {
            None
        };
        let streams = match self.streams {
            Streams::Empty => Some(delivery::place(streams::empty()?)?),
            Streams::Inherited => None,
        };
        let filters = if parts.has(Layer::Seccomp) {
            // Before a child finds that none of them can be installed.
            kernel::seccomp_answers().map_err(|reason| Error::Lacking {
                layer: Layer::Seccomp,
                what: Step::Seccomp.what(),
                reason,
            })?;
            filter::sandbox().map_err(|_| Error::NoFilter)?
        } else {
            &[]
        };
        let one_program = parts.has(Layer::OneProgram).then(filter::one_program).transpose();
        Ok(Birth {
            parent,
            identity: parts.owner().map(Owner::identity),
            view,
            limits: limits(&self.bounds),
            streams,
            portal: Some(delivery::place(portal)?),
            closes_others: parts.has(Layer::Descriptors),
            one_program: one_program.map_err(|_| Error::NoFilter)?,
            rules,
            filters,
            program: Some(Image { file: delivery::place(file)?, arguments, environment }),
        })
    }

    fn unusable(&self) -> OsString {
        let usable = |path: &&PathBuf| View::of([(path.as_path(), false)]).is_none();
        self.readable.iter().find(usable).cloned().unwrap_or_default().into()
    }

    fn failed(&self, Report { step, reason }: Report) -> Error {
        match step.layer() {
            Some(layer) if self.mode == Mode::Strict => Error::Lacking { layer, what: step.what(), reason },
            _ => Error::Step { what: step.what(), reason, advice: advice(step) },
        }
    }

    /// The kernel does not say which of the namespaces it was.
    fn not_made(&self, reason: Errno) -> Error {
        // If that cannot be found out now, it has the same reason.
        let lacks = Support::of_this_system().map(Support::lacks).unwrap_or_default();
        match lacks.iter().map(|lack| lack.layer).find(|layer| layer.needed()) {
            Some(layer) => Error::Lacking { layer, what: "a process in namespaces of its own", reason },
            None => Error::System { call: "clone", reason },
        }
    }
}

fn limits(bounds: &Bounds) -> Vec<(Resource, u64)> {
    vec![
        (Resource::As, bounds.address_space),
        (Resource::Fsize, bounds.file),
        (Resource::Nofile, bounds.descriptors),
        (Resource::Nproc, bounds.threads),
        // A dump would show to others what it held.
        (Resource::Core, 0),
        (Resource::Memlock, 0),
        (Resource::Msgqueue, 0),
        (Resource::Nice, 0),
        (Resource::Rtprio, 0),
    ]
}

fn advice(step: Step) -> &'static str {
    match step {
        Step::Execute => {
            "the program must be executable for the user that the component is: for everybody, if each has its own user id"
        }
        Step::Limits => "ask for lower limits",
        _ => "`portcullis doctor` lists what this kernel allows",
    }
}

fn strings(strings: impl Iterator<Item = OsString>) -> Result<Strings, Error> {
    let strings = strings.map(|string| {
        CString::new(string.into_vec()).map_err(|error| Error::Unusable(OsString::from_vec(error.into_vec())))
    });
    Ok(Strings::new(strings.collect::<Result<_, _>>()?))
}

#[cfg(test)]
#[path = "start_tests.rs"]
mod tests;
