//! Which cores a thread runs on.

use crate::error::Error;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores that this process was started on.
#[derive(Clone, Debug)]
pub(crate) struct Cores {
    all: CpuSet,
    numbers: Vec<usize>,
}

impl Cores {
    /// Those that the calling thread may use now.
    pub(crate) fn available() -> Result<Cores, Error> {
        let all = sched_getaffinity(None).map_err(Error::system("sched_getaffinity"))?;
        let numbers = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core)).collect();
        Ok(Cores { all, numbers })
    }

    /// The first, and the second if there is one.
    pub(crate) fn first_two(&self) -> (usize, Option<usize>) {
        (self.numbers.first().copied().unwrap_or(0), self.numbers.get(1).copied())
    }

    /// Binds the calling thread to one core, or frees it to use them all.
    pub(crate) fn bind(&self, core: Option<usize>) -> Result<(), Error> {
        let set = match core {
            Some(core) => {
                let mut one = CpuSet::new();
                one.set(core);
                one
            }
            None => self.all,
        };
        sched_setaffinity(None, &set).map_err(Error::system("sched_setaffinity"))
    }

    /// Binds the calling thread until the answer is dropped.
    pub(crate) fn bind_for_now(&self, core: Option<usize>) -> Result<Bound<'_>, Error> {
        self.bind(core)?;
        Ok(Bound(self))
    }
}

/// A thread that is free again when this is dropped.
pub(crate) struct Bound<'a>(&'a Cores);

impl Drop for Bound<'_> {
    fn drop(&mut self) {
        // The set that the thread had before cannot be refused, unless the machine lost a core meanwhile.
        let _ = self.0.bind(None);
    }
}
