//! A component that does what its driver says.

use portcullis_component::{Connection, Env, Error, Opening, Quota, Service, Sessions};
use portcullis_rpc::{DataspaceCapability, rpc_interface};
use portcullis_sessions::log::{Log, LogText};
use portcullis_shm::Dataspace;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a puppet does when it is told.
#[rpc_interface(name = "puppet")]
pub trait Puppet {
    /// Opens a log session, with that donation; answers with what it is called from now on.
    fn open(&mut self, label: &str, donation: Option<Quota>) -> Result<u64, Error>;
    /// Writes to it.
    fn write(&mut self, log: u64, text: &str) -> Result<(), Error>;
    /// Adds to its donation.
    fn upgrade(&mut self, log: u64, quota: Quota) -> Result<(), Error>;
    /// Closes it and waits until all is back.
    fn close(&mut self, log: u64) -> Result<(), Error>;
    /// Opens and closes so many, one after the other.
    fn churn(&mut self, times: u32) -> Result<(), Error>;
    /// What it has left.
    fn budget(&mut self) -> Result<Quota, Error>;
    /// Asks its parent for more.
    fn ask(&mut self, quota: Quota) -> Result<(), Error>;
    /// Spends so much, until its parent wants it back: it gives at most as much at a time as it is told here.
    fn hoard(&mut self, at_a_time: Quota) -> Result<(), Error>;
    /// Allocates so many bytes on its own budget, in place of what it had, and hands them out.
    fn allocate(&mut self, bytes: u64) -> Result<DataspaceCapability, Error>;
    /// Frees what it has allocated.
    fn free(&mut self) -> Result<(), Error>;
    /// Its process, as the system calls it.
    fn process(&mut self) -> Result<u32, Error>;
    /// Ends with that code.
    fn exit(&mut self, code: i32) -> Result<(), Error>;
}

impl Service for dyn Puppet {
    type Arguments = ();
}

struct Strings;

/// A session of a puppet; the logs are its own.
struct Held {
    env: Env,
    logs: BTreeMap<u64, Connection<dyn Log>>,
    last: u64,
    given: Rc<RefCell<u32>>,
    memory: Option<Dataspace>,
}

/// The whole component.
///
/// # Errors
/// If it cannot announce itself.
pub fn puppet(env: &Env) -> Result<(), Error> {
    env.announce::<dyn Puppet, _>(Strings)
}

impl Sessions<dyn Puppet> for Strings {
    type Session = Held;

    fn create(&mut self, opening: Opening<()>) -> Result<Held, Error> {
        Ok(Held { env: opening.env, logs: BTreeMap::new(), last: 0, given: Rc::default(), memory: None })
    }
}

impl Held {
    fn log(&mut self, log: u64) -> Result<&mut Connection<dyn Log>, Error> {
        self.logs.get_mut(&log).ok_or(Error::UnknownSession)
    }
}

impl Puppet for Held {
    fn open(&mut self, label: &str, donation: Option<Quota>) -> Result<u64, Error> {
        let connecting = self.env.connecting(label);
        let log = match donation {
            None => connecting.open::<dyn Log>(&())?,
            Some(quota) => connecting.donating(quota).open::<dyn Log>(&())?,
        };
        self.last += 1;
        self.logs.insert(self.last, log);
        Ok(self.last)
    }

    fn write(&mut self, log: u64, text: &str) -> Result<(), Error> {
        Ok(self.log(log)?.print(text)?)
    }

    fn upgrade(&mut self, log: u64, quota: Quota) -> Result<(), Error> {
        Connection::upgrade(self.log(log)?, quota)
    }

    fn close(&mut self, log: u64) -> Result<(), Error> {
        Connection::close(self.logs.remove(&log).ok_or(Error::UnknownSession)?)
    }

    fn churn(&mut self, times: u32) -> Result<(), Error> {
        for _ in 0..times {
            let mut log = self.env.connect::<dyn Log>("churn", &())?;
            log.write("x")?;
            Connection::close(log)?;
        }
        Ok(())
    }

    fn budget(&mut self) -> Result<Quota, Error> {
        self.env.budget()
    }

    fn ask(&mut self, quota: Quota) -> Result<(), Error> {
        self.env.ask(quota)
    }

    fn hoard(&mut self, at_a_time: Quota) -> Result<(), Error> {
        let given = self.given.clone();
        self.env.when_asked_back(move |env, _| {
            // What it cannot give it keeps: the parent sees what came.
            if env.give_back(at_a_time).is_ok() {
                *given.borrow_mut() += 1;
            }
        });
        Ok(())
    }

    fn allocate(&mut self, bytes: u64) -> Result<DataspaceCapability, Error> {
        self.memory = None;
        let memory = self.env.ram().alloc(usize::try_from(bytes).unwrap_or(usize::MAX))?;
        let capability = memory.capability();
        self.memory = Some(memory);
        Ok(capability.into())
    }

    fn free(&mut self) -> Result<(), Error> {
        self.memory = None;
        Ok(())
    }

    fn process(&mut self) -> Result<u32, Error> {
        Ok(std::process::id())
    }

    fn exit(&mut self, code: i32) -> Result<(), Error> {
        self.env.exit(code);
        Ok(())
    }
}
