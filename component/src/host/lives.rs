//! How children begin, live and end.

use super::Host;
use super::memory::Memory;
use super::once::{Given, once};
use super::parent_object::ParentObject;
use super::policy::Exit;
use super::spec::{Life, Program, Running, Spec, Stopper};
use super::state::{Child, Client, Server};
use crate::bank::Account;
use crate::error::Error;
use crate::hop::{Event, State as HopState};
use crate::label::Label;
use crate::protocol::{Component, ComponentAsync, Parent};
use crate::sandbox::{self, Sandbox};
use crate::spawn;
use portcullis_entrypoint::Entrypoint;
use portcullis_rpc::{self as rpc, Capability, Deadline};
use std::collections::BTreeMap;
use std::process::Command;
use std::rc::Rc;

/// What a thread ends with that panics; a process that does so says the same.
const PANICKED: i32 = 101;

impl Host {
    /// Starts a child, with the quota out of the parent's own account. Its sessions may be asked for at once: they wait until it
    /// has announced their service.
    ///
    /// # Errors
    /// [`Error::Label`] if its name is none, [`Error::NumberInUse`] if a child of that name runs, [`Error::OutOfRam`] and
    /// [`Error::OutOfCaps`] if the own account has not as much, [`Error::NotStarted`] if the system does not start it.
    pub fn start(&self, spec: Spec) -> Result<(), Error> {
        let Spec { name, quota, program } = spec;
        // As the first hop of what it asks for. Without a name it would be nobody's child.
        Label::default().within(&name)?;
        let entrypoint = self.entrypoint().ok_or(Error::Rpc(rpc::Error::Disconnected))?;
        let child = {
            let mut state = self.0.state.borrow_mut();
            if state.child_named(&name).is_some() {
                return Err(Error::NumberInUse);
            }
            // Who waits for it waits on, if it cannot be paid.
            let has = state.bank.balance(Account::Own);
            if has.checked_sub(quota).is_none() {
                return Err(Error::out_of(has.missing_for(quota)));
            }
            let child = state.awaited.remove(&name).unwrap_or_else(|| state.number());
            state.bank.open(Account::Child(child));
            // It lies there.
            let _ = state.bank.transfer(Account::Own, Account::Child(child), quota);
            child
        };
        let parent = ParentObject { host: self.downgrade(), child, outcomes: Rc::default() };
        let parent: Capability<dyn Parent> = entrypoint.manage(parent);
        let record = Child {
            name,
            running: None,
            component: None,
            parent: Some(parent),
            services: BTreeMap::new(),
            exit: None,
            memory: Memory::new(program.memory(quota)),
            wishes: Vec::new(),
            missed: 0,
        };
        self.0.state.borrow_mut().children.insert(child, record);
        let started = match program {
            Program::Process(command) => self.start_process(&entrypoint, child, *command),
            Program::Confined(confined) => {
                let (sandbox, program) = *confined;
                self.start_confined(&entrypoint, child, &sandbox, &program)
            }
            Program::Spawned(mode, program) => self.start_spawned(&entrypoint, child, quota, mode, &program),
            Program::Thread(life, stopper) => self.start_thread(&entrypoint, child, life, stopper),
        };
        started.inspect_err(|_| drop(self.clean_up(child, None)))
    }

    fn start_process(&self, entrypoint: &Entrypoint, child: u64, command: Command) -> Result<(), Error> {
        let (process, first) = self.0.pd.spawn(command).map_err(|error| Error::not_started(&error))?;
        self.has_started(entrypoint, child, Running::Process(process), Capability::from_untyped(first))
    }

    fn start_confined(
        &self,
        entrypoint: &Entrypoint,
        child: u64,
        sandbox: &Sandbox,
        program: &sandbox::Program,
    ) -> Result<(), Error> {
        let started = sandbox.start(&self.0.pd, program);
        let (process, first) = started.map_err(|error| Error::not_started(&error))?;
        self.has_started(entrypoint, child, Running::Confined(process), Capability::from_untyped(first))
    }

    /// A process runs: its end is seen, and it is handed its parent.
    fn has_started(
        &self,
        entrypoint: &Entrypoint,
        child: u64,
        running: Running,
        first: Capability<dyn Component>,
    ) -> Result<(), Error> {
        let process = running.process().unwrap_or_default();
        let watched = self.0.reaper.borrow_mut().watch(process);
        let ended = watched.map_err(|error| Error::not_started(&error))?;
        self.runs(child, running);
        self.begins(entrypoint, child, first);
        self.end_when(entrypoint, child, async move { ended.await.and(None) });
        Ok(())
    }

    fn start_thread(
        &self,
        entrypoint: &Entrypoint,
        child: u64,
        life: Box<Life>,
        stopper: Stopper,
    ) -> Result<(), Error> {
        let ((born, born_later), (ended, ended_later)) = (once(), once());
        let thread = std::thread::Builder::new().name("component".into());
        let live = move || {
            if let Ok(code) = life(born) {
                ended.give(code);
            }
        };
        thread.spawn(live).map_err(|_| Error::NotGranted)?;
        self.runs(child, Running::Thread(stopper));
        self.meet(entrypoint, child, born_later);
        self.end_when(
            entrypoint,
            child,
            async move { Some(Exit::Code(ended_later.await.unwrap_or(PANICKED))) },
        );
        Ok(())
    }

    pub(super) fn runs(&self, child: u64, running: Running) {
        if let Some(record) = self.0.state.borrow_mut().children.get_mut(&child) {
            record.running = Some(running);
        }
    }

    /// Waits for a thread's first object.
    fn meet(&self, entrypoint: &Entrypoint, child: u64, born: Given<Capability<dyn Component>>) {
        let host = self.downgrade();
        entrypoint.spawn(async move {
            let (Some(component), Some(host)) = (born.await, host.upgrade()) else { return };
            let running = |record: &Child| record.running.is_some();
            let still_runs = host.0.state.borrow().children.get(&child).is_some_and(running);
            if let Some(entrypoint) = host.entrypoint().filter(|_| still_runs) {
                host.begins(&entrypoint, child, component);
            }
        });
    }

    /// Hands a child its parent.
    pub(super) fn begins(&self, entrypoint: &Entrypoint, child: u64, component: Capability<dyn Component>) {
        let parent = {
            let mut state = self.0.state.borrow_mut();
            let Some(record) = state.children.get_mut(&child) else { return };
            record.component = Some(component.clone());
            let is_confined = record.running.as_ref().is_some_and(Running::is_confined);
            record.parent.clone().map(|parent| (parent, is_confined))
        };
        let Some((parent, is_confined)) = parent else { return };
        entrypoint.spawn(async move {
            // One that ends before it begins is seen to end.
            let _ = component.client().with_deadline(Deadline::Never).start_async(parent, is_confined).await;
        });
    }

    fn end_when(
        &self,
        entrypoint: &Entrypoint,
        child: u64,
        ended: impl Future<Output = Option<Exit>> + 'static,
    ) {
        let host = self.downgrade();
        entrypoint.spawn(async move {
            let exit = ended.await;
            if let Some(host) = host.upgrade() {
                host.has_ended(child, exit);
            }
        });
    }

    /// A child has ended.
    pub(super) fn has_ended(&self, child: u64, exit: Option<Exit>) {
        if let Some((name, exit)) = self.clean_up(child, exit) {
            // Foreign code: nothing of ours is borrowed.
            self.0.policy.borrow_mut().ended(&name, exit);
        }
    }

    /// Of a child that has ended: its sessions are closed at their servers, those that it served end, and what it had is the
    /// parent's. Answers who it was and how it ended.
    fn clean_up(&self, child: u64, exit: Option<Exit>) -> Option<(String, Exit)> {
        let (name, exit, of_child, by_child, parent) = {
            let mut state = self.0.state.borrow_mut();
            let record = state.children.get_mut(&child)?;
            let running = record.running.take();
            let is_spawned = matches!(running, Some(Running::Spawned(_)));
            let system = match (running.map_or(Exit::Unknown, |mut running| running.exit()), exit) {
                (Exit::Unknown, Some(exit)) => exit,
                (system, _) => system,
            };
            // What it said itself counts if it ended by itself.
            let said = match system {
                Exit::Signal(_) => None,
                Exit::Code(_) | Exit::Unknown => record.exit.take(),
            };
            let exit = said.unwrap_or(system);
            if is_spawned {
                // Its session ended with it.
                state.bank.deposit(Account::Own, spawn::DONATION);
            }
            let record = state.children.get_mut(&child)?;
            record.services.clear();
            record.component = None;
            // Dropped: nobody is there who would be told.
            record.wishes.clear();
            let parent = record.parent.take();
            let name = record.name.clone();
            // What it used itself it uses no more.
            state.bank.close(Account::Aside(child), Account::Child(child));
            let by_child = state.served_by(child);
            let first = Client::Child { child, number: 0 };
            let last = Client::Child { child, number: u64::MAX };
            let of_child: Vec<u64> =
                state.by_client.range(first..=last).map(|(_, session)| *session).collect();
            (name, exit, of_child, by_child, parent)
        };
        if let (Some(entrypoint), Some(parent)) = (self.entrypoint(), parent) {
            entrypoint.dissolve(&parent);
        }
        by_child.into_iter().for_each(|session| self.loses_server(session));
        of_child.into_iter().for_each(|session| self.on(session, Event::Close));
        self.0.state.borrow_mut().bury(child);
        Some((name, exit))
    }

    fn loses_server(&self, session: u64) {
        let is_waiting = {
            let state = self.0.state.borrow();
            let hop = state.sessions.get(&session).map(|sess| sess.hop.state());
            hop == Some(HopState::Waiting)
        };
        self.on(session, if is_waiting { Event::Refused } else { Event::ServerDied });
    }

    /// A child is about to end, and another one of its name to be started: sessions that wait for it to announce their service wait for
    /// that one.
    pub fn await_next(&self, name: &str) {
        let mut state = self.0.state.borrow_mut();
        let Some(child) = state.child_named(name) else { return };
        let next = state.awaited(name);
        for session in state.served_by(child) {
            let waiting =
                state.sessions.get_mut(&session).filter(|sess| sess.hop.state() == HopState::Waiting);
            waiting.into_iter().for_each(|sess| sess.server = Server::Child(next));
        }
    }

    /// No child of that name will be started next: who [waits](super::Route::Awaited) for one gets no session.
    pub fn give_up(&self, name: &str) {
        let waiting = {
            let mut state = self.0.state.borrow_mut();
            let child = state.awaited.remove(name);
            child.map(|child| state.served_by(child)).unwrap_or_default()
        };
        waiting.into_iter().for_each(|session| self.loses_server(session));
    }

    /// Ends a child: a process at once, by a signal that it cannot refuse, a thread when its handler returns. Answers whether
    /// there is one of that name. That it has ended the [policy](super::Policy::ended) is told later.
    pub fn kill(&self, name: &str) -> bool {
        let mut state = self.0.state.borrow_mut();
        let child = state.child_named(name);
        let running = child.and_then(|child| state.children.get_mut(&child)?.running.as_mut());
        running.map(Running::end).is_some()
    }

    /// The process of a child, as the system calls it: good for messages. `None` if there is no child of that name, or it is
    /// a thread.
    #[must_use]
    pub fn process(&self, name: &str) -> Option<u32> {
        let state = self.0.state.borrow();
        state.children.get(&state.child_named(name)?)?.running.as_ref()?.process()
    }

    /// Asks a child to end by itself. Answers whether it can be asked.
    pub fn stop(&self, name: &str) -> bool {
        self.tell(name, |component| async move {
            let _ = component.client().with_deadline(Deadline::Never).stop_async().await;
        })
    }

    /// Has a child called, and does not wait for it. Answers whether it can be called.
    pub(super) fn tell<F: Future<Output = ()> + 'static>(
        &self,
        name: &str,
        say: impl FnOnce(Capability<dyn Component>) -> F,
    ) -> bool {
        let component = {
            let state = self.0.state.borrow();
            let child = state.child_named(name).and_then(|child| state.children.get(&child));
            child.and_then(|record| record.component.clone())
        };
        match (component, self.entrypoint()) {
            (Some(component), Some(entrypoint)) => {
                entrypoint.spawn(say(component));
                true
            }
            _ => false,
        }
    }
}
