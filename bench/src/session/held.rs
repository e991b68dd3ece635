//! Sessions that are held at once, and as many descriptors as one process may hold.

use super::holdings;
use crate::alternation::Side;
use crate::component::interface::{Echo, Factory, Guest};
use crate::error::Error;
use crate::floor::{Part, pass_on};
use crate::meter;
use crate::process::Process;
use portcullis_rpc::{Capability, Client};
use rustix::fd::OwnedFd;
use rustix::process::{Resource, getrlimit};

/// Descriptors that a process needs beside those that it holds for the floor.
const SPARE: u64 = 256;

/// Objects that are opened and delegated, and dropped when all of a block are there.
pub(super) struct Sessions<'a> {
    processes: [&'a Process; 2],
    factory: Client<dyn Factory>,
    guest: Client<dyn Guest>,
    kept: Vec<Capability<dyn Echo>>,
    descriptors_held: u32,
}

impl Sessions<'_> {
    /// Of the first, for the other.
    pub(super) fn new(processes: [&Process; 2]) -> Sessions<'_> {
        let [server, other] = processes;
        let (factory, guest) = (server.objects.factory.client(), other.objects.guest.client());
        Sessions { processes, factory, guest, kept: Vec::new(), descriptors_held: 0 }
    }

    /// The descriptors of all processes together while the last block was held.
    pub(super) fn descriptors_held(&self) -> u32 {
        self.descriptors_held
    }
}

impl Side for Sessions<'_> {
    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        let object = self.factory.session()?;
        self.guest.keep(object.clone())?;
        self.kept.push(object);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.descriptors_held = holdings(&self.processes)?.descriptors;
        self.guest.let_go(self.kept.len())?;
        self.kept.clear();
        Ok(())
    }
}

/// Descriptors that are made and passed on, and closed when all of a block are there, or no more can be held.
pub(super) struct Descriptors<'a> {
    maker: &'a Process,
    taker: &'a Process,
    kept: Vec<OwnedFd>,
    most: usize,
}

impl Descriptors<'_> {
    /// As many at once, or as a process may hold.
    pub(super) fn new(processes: [&Process; 2], most: u64) -> Result<Descriptors<'_>, Error> {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let room = limit.saturating_sub(u64::from(meter::descriptors()?) + SPARE).max(1);
        let [maker, taker] = processes;
        Ok(Descriptors {
            maker,
            taker,
            kept: Vec::new(),
            most: usize::try_from(room.min(most)).unwrap_or(usize::MAX),
        })
    }

    /// How many are held at once.
    pub(super) fn most(&self) -> u64 {
        self.most as u64
    }

    /// Closes all.
    fn let_go(&mut self) -> Result<(), Error> {
        self.taker.link.stop()?;
        self.kept.clear();
        Ok(())
    }
}

impl Side for Descriptors<'_> {
    fn enter(&mut self) -> Result<(), Error> {
        self.maker.play(Part::Maker)?;
        self.taker.play(Part::Keeper)
    }

    #[inline]
    fn operate(&mut self) -> Result<(), Error> {
        if self.kept.len() == self.most {
            self.let_go()?;
            self.taker.play(Part::Keeper)?;
        }
        self.kept.push(pass_on(&self.maker.link, &self.taker.link)?);
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Error> {
        self.maker.link.stop()?;
        self.let_go()
    }
}
