//! The objects of a station.

use super::{Holdings, Ring, Station, Task, Tower};
use portcullis_entrypoint::{Entrypoint, Error as EntrypointError, SignalLevel, WeakEntrypoint};
use portcullis_rpc::{Capability, Deadline, Error, SignalCapability};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What all objects of a station report to.
#[derive(Default)]
pub(super) struct Books {
    rings: RefCell<Vec<Ring>>,
    counts: RefCell<HashMap<u32, u64>>,
    runs: Cell<u64>,
    depth: Cell<u32>,
    kept: RefCell<Vec<Option<SignalCapability>>>,
    drops: Cell<(u32, u32)>,
}

/// A handler runs, until it is dropped.
struct Inside(Rc<Books>);

impl Books {
    fn enter(self: &Rc<Books>) -> Inside {
        self.depth.set(self.depth.get() + 1);
        Inside(self.clone())
    }

    fn ring(&self, bell: u32) {
        let ring = Ring { bell, depth: self.depth.get() };
        self.rings.borrow_mut().push(ring);
        *self.counts.borrow_mut().entry(bell).or_default() += 1;
        self.runs.set(self.runs.get() + 1);
    }

    fn kept(&self, number: u32) -> Option<SignalCapability> {
        self.kept.borrow().get(number as usize).cloned().flatten()
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.depth.set(self.0.depth.get() - 1);
    }
}

fn level(io: bool) -> SignalLevel {
    if io { SignalLevel::Io } else { SignalLevel::Application }
}

fn work(micros: u32) {
    let end = Instant::now() + Duration::from_micros(micros.into());
    while Instant::now() < end {
        std::hint::spin_loop();
    }
}

fn hang() {
    let own = rustix::process::getpid();
    // Whoever started us has us go on, or ends us.
    let _ = rustix::process::kill_process(own, rustix::process::Signal::STOP);
}

/// A tower.
pub(super) struct Belfry {
    rings: u64,
    /// While it listens.
    heard: u32,
    entrypoint: WeakEntrypoint,
    books: Rc<Books>,
}

impl Belfry {
    /// What the handler of a bell does.
    fn ring(&mut self, entrypoint: &Entrypoint, bell: u32, task: Task, own: &OnceCell<SignalCapability>) {
        self.books.ring(bell);
        let _inside = self.books.enter();
        self.rings += 1;
        self.heard += 1;
        match task {
            Task::Note => {}
            Task::Work(micros) => work(micros),
            Task::Panic => panic!("as it was asked to"),
            Task::EndBell => {
                assert!(own.get().is_some_and(|own| entrypoint.dissolve_signal(own)));
            }
            Task::EndTower => assert!(entrypoint.dissolve_current()),
            Task::Submit(number) => {
                if let Some(kept) = self.books.kept(number) {
                    kept.submit();
                }
            }
            Task::Wait(signals) => {
                for _ in 0..signals {
                    // A wait in vain is seen by what did not ring.
                    let _ = entrypoint.wait_and_dispatch_one_io_signal(self);
                }
            }
            Task::Dive(depth) => {
                if let Some(own) = own.get().filter(|_| self.books.depth.get() < depth) {
                    own.submit();
                    let _ = entrypoint.wait_and_dispatch_one_io_signal(self);
                }
            }
            Task::Hang => hang(),
        }
    }

    fn listen_here(&mut self, entrypoint: &Entrypoint, rings: u32, millis: u32) -> Result<u32, Error> {
        let _inside = self.books.enter();
        self.heard = 0;
        let end = Instant::now() + Duration::from_millis(millis.into());
        while self.heard < rings {
            let left = Deadline::After(end.saturating_duration_since(Instant::now()));
            match entrypoint.wait_and_dispatch_one_io_signal_with(self, left) {
                Ok(()) => {}
                Err(EntrypointError::DeadlineExceeded) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.heard)
    }

    fn entrypoint(&self) -> Result<Entrypoint, Error> {
        self.entrypoint.upgrade().ok_or(Error::Disconnected)
    }
}

impl Tower for Belfry {
    fn bell(&mut self, bell: u32, io: bool, task: Task) -> Result<SignalCapability, Error> {
        let own: Rc<OnceCell<SignalCapability>> = Rc::default();
        let of_handler = own.clone();
        let context =
            self.entrypoint()?.handle_signal_here(level(io), move |tower: &mut Belfry, entrypoint| {
                tower.ring(entrypoint, bell, task, &of_handler);
            })?;
        if matches!(task, Task::EndBell | Task::Dive(_)) {
            let _ = own.set(context.clone());
        }
        Ok(context)
    }

    fn rings(&mut self) -> Result<u64, Error> {
        Ok(self.rings)
    }

    fn listen(&mut self, rings: u32, millis: u32) -> Result<u32, Error> {
        self.listen_here(&self.entrypoint()?, rings, millis)
    }

    fn have_listen(&mut self, tower: Capability<dyn Tower>, rings: u32, millis: u32) -> Result<u32, Error> {
        let (entrypoint, _inside) = (self.entrypoint()?, self.books.enter());
        entrypoint.apply(&tower, |tower: &mut Belfry| tower.listen_here(&entrypoint, rings, millis))?
    }

    fn lend_other(&mut self) -> Result<bool, Error> {
        let mut other = Belfry { entrypoint: self.entrypoint.clone(), books: self.books.clone(), ..*self };
        let refused = self.entrypoint()?.wait_and_dispatch_one_io_signal(&mut other);
        let wrong_type = self.entrypoint()?.wait_and_dispatch_one_io_signal(&mut other.rings);
        Ok([refused, wrong_type].iter().all(|refused| *refused == Err(EntrypointError::NotLent)))
    }
}

impl Drop for Belfry {
    fn drop(&mut self) {
        let (drops, inside) = self.books.drops.get();
        self.books.drops.set((drops + 1, inside + u32::from(self.books.depth.get() != 0)));
    }
}

/// The station itself.
pub(super) struct Master {
    entrypoint: WeakEntrypoint,
    books: Rc<Books>,
    ready: u32,
}

impl Master {
    pub(super) fn new(entrypoint: &Entrypoint) -> Master {
        Master { entrypoint: entrypoint.downgrade(), books: Rc::default(), ready: 0 }
    }

    fn entrypoint(&self) -> Result<Entrypoint, Error> {
        self.entrypoint.upgrade().ok_or(Error::Disconnected)
    }

    fn belfry(&self) -> Belfry {
        Belfry { rings: 0, heard: 0, entrypoint: self.entrypoint.clone(), books: self.books.clone() }
    }
}

impl Station for Master {
    fn tower(&mut self) -> Result<Capability<dyn Tower>, Error> {
        Ok(self.entrypoint()?.manage(self.belfry()))
    }

    fn end_tower(&mut self, tower: Capability<dyn Tower>) -> Result<bool, Error> {
        let _inside = self.books.enter();
        Ok(self.entrypoint()?.dissolve(&tower))
    }

    fn end_bell(&mut self, bell: SignalCapability) -> Result<bool, Error> {
        let _inside = self.books.enter();
        Ok(self.entrypoint()?.dissolve_signal(&bell))
    }

    fn lone_bell(&mut self, bell: u32, io: bool, task: Task) -> Result<SignalCapability, Error> {
        let ring = move |tower: &mut Belfry, entrypoint: &Entrypoint| {
            tower.ring(entrypoint, bell, task, &OnceCell::new());
        };
        Ok(self.entrypoint()?.manage_signal(self.belfry(), level(io), ring))
    }

    fn rings(&mut self) -> Result<Vec<Ring>, Error> {
        let mut rings = self.books.rings.take();
        let nested = rings.iter().filter(|ring| ring.depth != 0).count();
        let mut room = 100_usize.saturating_sub(nested);
        rings.retain(|ring| {
            let fits = ring.depth != 0 || room > 0;
            room = room.saturating_sub(usize::from(ring.depth == 0));
            fits
        });
        rings.truncate(100);
        Ok(rings)
    }

    fn count(&mut self, bell: u32) -> Result<u64, Error> {
        Ok(self.books.counts.borrow().get(&bell).copied().unwrap_or(0))
    }

    fn holdings(&mut self) -> Result<Holdings, Error> {
        let usage = self.entrypoint()?.usage();
        Ok(Holdings {
            process: std::process::id(),
            objects: usage.objects,
            contexts: usage.contexts,
            channels: usage.channels,
            rows: usage.rows,
            violations: usage.violations,
            drops: self.books.drops.get(),
            runs: self.books.runs.get(),
        })
    }

    fn keep(&mut self, contexts: Vec<SignalCapability>) -> Result<u32, Error> {
        let mut kept = self.books.kept.borrow_mut();
        let first = u32::try_from(kept.len()).expect("few are kept");
        kept.extend(contexts.into_iter().map(Some));
        Ok(first)
    }

    fn give(&mut self, number: u32) -> Result<Option<SignalCapability>, Error> {
        Ok(self.books.kept(number))
    }

    fn lose(&mut self, number: u32) -> Result<(), Error> {
        if let Some(kept) = self.books.kept.borrow_mut().get_mut(number as usize) {
            *kept = None;
        }
        Ok(())
    }

    fn submit(&mut self, number: u32, times: u32) -> Result<(), Error> {
        let kept = self.books.kept(number).ok_or(Error::InvalidCapability)?;
        (0..times).for_each(|_| kept.submit());
        Ok(())
    }

    fn storm(&mut self, number: u32, times: u32, threads: u32) -> Result<(), Error> {
        let kept = self.books.kept(number).ok_or(Error::InvalidCapability)?;
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..times).for_each(|_| kept.submit()));
            }
        });
        Ok(())
    }

    fn work(&mut self, micros: u32) -> Result<(), Error> {
        work(micros);
        Ok(())
    }

    fn await_ready(&mut self, millis: u32) -> Result<u32, Error> {
        let (entrypoint, before) = (self.entrypoint()?, self.ready);
        let end = Instant::now() + Duration::from_millis(millis.into());
        while self.ready == before {
            let left = Deadline::After(end.saturating_duration_since(Instant::now()));
            entrypoint.wait_and_dispatch_one_io_signal_with(self, left)?;
        }
        Ok(self.ready)
    }

    fn ready_signal(&mut self) -> Result<SignalCapability, Error> {
        let raise = |station: &mut Master, _: &Entrypoint| station.ready += 1;
        Ok(self.entrypoint()?.handle_signal_here(SignalLevel::Io, raise)?)
    }

    fn hang(&mut self) -> Result<(), Error> {
        hang();
        Ok(())
    }
}
