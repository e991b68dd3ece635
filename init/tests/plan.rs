//! A plan leads from the old composition to the new one, and no step of it can be left out.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "in a helper, too, it fails the test")]

mod support;

use portcullis_init::{Component, Composition, Plan, Route, Router, Server, Session, Step, Target};
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::{C, F, file, label, name, service, sessions};

/// What runs.
#[derive(Clone)]
struct Running {
    /// Each component as it is, and whether it is the process that it was.
    components: BTreeMap<String, (Component, bool)>,
    routes: Vec<Route>,
    sessions: Vec<Session<usize>>,
}

impl Running {
    fn start(composition: &Composition, sessions: Vec<Session<usize>>) -> Running {
        let components = composition.components().iter();
        Running {
            components: components.map(|c| (c.name.to_string(), (c.clone(), true))).collect(),
            routes: composition.routes().to_vec(),
            sessions,
        }
    }

    /// Carries out a step, or says why that is impossible.
    fn apply(&mut self, step: &Step<usize>, new: &Composition) -> Result<(), String> {
        let wanted = || new.component(step.component()?.as_str()).cloned();
        match step {
            Step::Close(id) => {
                let before = self.sessions.len();
                self.sessions.retain(|session| session.id != *id);
                return if before == self.sessions.len() + 1 {
                    Ok(())
                } else {
                    Err("no such session".into())
                };
            }
            Step::Routes => {
                self.routes = new.routes().to_vec();
                return Ok(());
            }
            Step::Start(name) => {
                let component = wanted().ok_or("not in the new one")?;
                let old = self.components.insert(name.to_string(), (component, false));
                return if old.is_none() { Ok(()) } else { Err("it runs already".into()) };
            }
            Step::Stop(name) => {
                if self
                    .sessions
                    .iter()
                    .any(|session| session.client == *name || session.server == Server::Child(name.clone()))
                {
                    return Err("it has sessions".into());
                }
                return self.components.remove(name.as_str()).map(drop).ok_or("it does not run".into());
            }
            _ => {}
        }
        let wanted = wanted().ok_or("not in the new one")?;
        let (component, _) = self.components.get_mut(wanted.name.as_str()).ok_or("it does not run")?;
        match step {
            Step::Ram(_, ram) => component.ram = *ram,
            Step::Caps(_, caps) => component.caps = *caps,
            Step::Provides(_) => component.provides = wanted.provides,
            Step::Configure(_) => component.config = wanted.config,
            Step::Supervise(_) => {
                (component.restart, component.heartbeat) = (wanted.restart, wanted.heartbeat);
            }
            other => return Err(format!("{other:?} is not known here")),
        }
        Ok(())
    }

    fn ram(&self) -> u64 {
        self.components.values().map(|(component, _)| component.ram.in_bytes()).sum()
    }

    fn caps(&self) -> u64 {
        self.components.values().map(|(component, _)| component.caps.count()).sum()
    }

    /// Whether it is what the new composition says, and each session is where it would lead now.
    fn is(&self, new: &Composition) -> bool {
        let wanted: BTreeMap<String, &Component> =
            new.components().iter().map(|c| (c.name.to_string(), c)).collect();
        let runs: BTreeMap<String, &Component> =
            self.components.iter().map(|(name, (component, _))| (name.clone(), component)).collect();
        let router = Router::new(new);
        let leads = |session: &Session<usize>| match router
            .decide(&session.client, &session.service, &session.label)
            .to
        {
            Target::Child(name) => session.server == Server::Child(name.clone()),
            Target::Parent => session.server == Server::Parent,
            Target::Denied => false,
        };
        wanted == runs && self.routes == new.routes() && self.sessions.iter().all(leads)
    }
}

/// Every session that the routes of a file allow.
fn open(file: &F, composition: &Composition) -> Vec<Session<usize>> {
    let router = Router::new(composition);
    let all = sessions(file).into_iter().filter(|(_, _, said)| said.len() < 3);
    let open = all.filter_map(|(client, wanted, said)| {
        let (client, service, label) = (name(client), service(wanted), label(&said));
        let server = match router.decide(&client, &service, &label).to {
            Target::Child(name) => Server::Child(name.clone()),
            Target::Parent => Server::Parent,
            Target::Denied => return None,
        };
        Some(Session { id: 0, client, service, label, server })
    });
    open.enumerate().map(|(id, session)| Session { id, ..session }).collect()
}

/// Carries out steps one by one.
fn carry_out(old: &Running, steps: &[Step<usize>], new: &Composition) -> Result<Running, String> {
    let mut running = old.clone();
    steps.iter().try_for_each(|step| running.apply(step, new))?;
    Ok(running)
}

/// Two files that have something in common: some components and rules of one are those of the other.
fn pair() -> impl Strategy<Value = (F, F)> {
    (file(), file(), prop::collection::vec(any::<bool>(), 3), any::<bool>()).prop_map(
        |(old, mut new, same, rules)| {
            let mixed = new.components.into_iter().zip(same);
            new.components = mixed
                .map(|(component, same)| {
                    let before = old.components.iter().find(|before| same && before.name == component.name);
                    before.cloned().unwrap_or(component)
                })
                .collect();
            if rules {
                new.routes.clone_from(&old.routes);
            }
            (old.reachable(), new.tidy().reachable())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn leads_from_the_old_to_the_new_and_touches_nothing_else((old_file, new_file) in pair()) {
        let old = Composition::parse(old_file.text().0).unwrap();
        let new = Composition::parse(new_file.text().0).unwrap();
        let sessions = open(&old_file, &old);
        let plan = Plan::between(&old, &new, &sessions);
        let before = Running::start(&old, sessions);

        // It leads there, and on the way never gives out more than one of the two has.
        let mut running = before.clone();
        for step in plan.steps() {
            prop_assert_eq!(running.apply(step, &new), Ok(()), "{:?}", plan);
            prop_assert!(running.ram() <= old.ram().max(new.ram()).in_bytes());
            prop_assert!(running.caps() <= old.caps().max(new.caps()).count());
        }
        prop_assert!(running.is(&new), "{:?}", plan);

        // A process goes on unless what it is made of changes.
        for component in new.components() {
            let was = old.component(component.name.as_str());
            let same = was.is_some_and(|was| {
                was.binary == component.binary && was.args == component.args && was.sandbox == component.sandbox
            });
            prop_assert_eq!(running.components[component.name.as_str()].1, same);
            let untouched = was == Some(component);
            prop_assert_eq!(!plan.touched().contains(&component.name), untouched);
        }

        // Without any one step it leads elsewhere, or nowhere.
        for index in 0..plan.steps().len() {
            let mut steps = plan.steps().to_vec();
            let step = steps.remove(index);
            let arrives = carry_out(&before, &steps, &new).is_ok_and(|running| running.is(&new));
            prop_assert!(!arrives, "without {:?}: {:?}", step, plan);
        }
    }

    #[test]
    fn is_empty_between_equal_ones(file in file()) {
        let file = file.reachable();
        let composition = Composition::parse(file.text().0).unwrap();
        let sessions = open(&file, &composition);
        prop_assert!(Plan::between(&composition, &composition, &sessions).steps().is_empty());
    }
}

/// The steps between files of one component and what differs.
fn steps(change: impl Fn(&mut C)) -> Vec<Step<usize>> {
    let file = |component| F { components: vec![component], routes: Vec::new() };
    let parse = |component| Composition::parse(file(component).text().0).unwrap();
    let mut changed = C::named("a");
    change(&mut changed);
    Plan::between(&parse(C::named("a")), &parse(changed), &[]).steps().to_vec()
}

#[test]
fn scenario_27_init_quotas_go_up_and_down_while_it_runs() {
    let new = |bytes| portcullis_init::RamQuota::bytes(bytes);
    assert_eq!(steps(|c| c.ram = 8192), [Step::Ram(name("a"), new(8192))]);
    assert_eq!(steps(|c| c.ram = 2048), [Step::Ram(name("a"), new(2048))]);
    assert_eq!(steps(|c| c.caps = 5), [Step::Caps(name("a"), portcullis_init::CapQuota::new(5))]);
}

#[test]
fn scenario_24_dynamic_config_a_configuration_changes_while_it_runs() {
    assert_eq!(steps(|c| c.config = 11), [Step::Configure(name("a"))]);
}

#[test]
fn what_a_process_is_made_of_changes_with_it() {
    let anew = [Step::Stop(name("a")), Step::Start(name("a"))];
    assert_eq!(steps(|c| c.binary = "other"), anew);
    assert_eq!(steps(|c| c.args = "other"), anew);
    assert_eq!(steps(|c| c.sandbox = "off"), anew);
    assert_eq!(steps(|c| c.intensity = 5), [Step::Supervise(name("a"))]);
    assert_eq!(steps(|c| c.provides = vec!["S"]), [Step::Provides(name("a"))]);
}

#[test]
fn scenario_27_init_what_is_unchanged_is_not_touched_so_its_exit_state_stays() {
    let both = |more: &[&'static str]| {
        let names = ["a"].into_iter().chain(more.iter().copied());
        Composition::parse(F { components: names.map(C::named).collect(), routes: Vec::new() }.text().0)
            .unwrap()
    };
    let plan: Plan<usize> = Plan::between(&both(&["b"]), &both(&["c"]), &[]);
    assert_eq!(plan.steps(), [Step::Stop(name("b")), Step::Start(name("c"))]);
    assert!(!plan.touched().contains(&name("a")));
}

/// A log that serves a shell, after a change of the log, of the routes, or of both.
fn logged(change: impl Fn(&mut C), to: Option<&'static str>) -> Result<Composition, String> {
    let mut log = C { provides: vec!["S"], ..C::named("a") };
    change(&mut log);
    let route = |to| support::R { from: None, service: "S", kind: "any", hops: Vec::new(), to };
    let file = F { components: vec![log, C::named("b")], routes: to.map(route).into_iter().collect() };
    Composition::parse(file.text().0).map_err(|problems| problems.to_string())
}

fn log_session() -> [Session<usize>; 1] {
    let (client, service) = (name("b"), service("S"));
    [Session { id: 7, client, service, label: label(&["x"]), server: Server::Child(name("a")) }]
}

#[test]
fn scenario_27_init_a_server_that_starts_anew_loses_its_sessions_and_its_clients_go_on() {
    let (old, new) =
        (logged(|_| {}, Some("a")).unwrap(), logged(|log| log.args = "other", Some("a")).unwrap());
    let plan = Plan::between(&old, &new, &log_session());
    assert_eq!(plan.steps(), [Step::Close(7), Step::Stop(name("a")), Step::Start(name("a"))]);
    assert!(!plan.touched().contains(&name("b")));
}

#[test]
fn scenario_27_init_a_service_is_removed_with_its_routes_or_not_at_all() {
    let old = logged(|_| {}, Some("a")).unwrap();
    let refused = logged(|log| log.provides.clear(), Some("a")).unwrap_err();
    assert!(refused.contains("expected a service that a provides: none"), "{refused}");
    let new = logged(|log| log.provides.clear(), Some("parent")).unwrap();
    let plan = Plan::between(&old, &new, &log_session());
    assert_eq!(plan.steps(), [Step::Close(7), Step::Provides(name("a")), Step::Routes]);
}

#[test]
fn sessions_stay_where_another_rule_leads_to_the_same_server() {
    let old = logged(|_| {}, Some("a")).unwrap();
    let file = |hops| F {
        components: vec![C { provides: vec!["S"], ..C::named("a") }, C::named("b")],
        routes: vec![support::R { from: Some("b"), service: "*", kind: "prefix", hops, to: "a" }],
    };
    let parse = |hops| Composition::parse(file(hops).text().0).unwrap();
    assert_eq!(Plan::between(&old, &parse(vec!["x"]), &log_session()).steps(), [Step::Routes]);
    assert_eq!(
        Plan::between(&old, &parse(vec!["y"]), &log_session()).steps(),
        [Step::Close(7), Step::Routes]
    );
}
