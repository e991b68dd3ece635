//! Random operations from a seed.

use super::model::Model;
use super::op::{Action, Actor, Holding, Object, Op, Process};
use crate::villain::random::Random;

/// What it makes. All weights are against the sum of all.
#[derive(Clone, Copy, Debug)]
pub struct Weights {
    /// `Op::Create`.
    pub create: usize,
    /// `Op::Copy`.
    pub copy: usize,
    /// `Op::Drop`.
    pub drop: usize,
    /// `Op::Call`, to identify.
    pub identify: usize,
    /// `Op::Call`, to delegate in an argument.
    pub take: usize,
    /// `Op::Call`, to delegate in a result.
    pub hand: usize,
    /// `Op::Call`, to dissolve.
    pub dissolve: usize,
    /// `Op::Carry`.
    pub carry: usize,
    /// `Op::Dissolve`.
    pub end_object: usize,
    /// `Op::End`.
    pub end_process: usize,
    /// `Op::Settle`.
    pub settle: usize,
    /// `Op::Sweep`.
    pub sweep: usize,
}

impl Default for Weights {
    fn default() -> Weights {
        Weights {
            create: 900,
            copy: 400,
            drop: 1800,
            identify: 2500,
            take: 2000,
            hand: 1500,
            dissolve: 60,
            carry: 900,
            end_object: 120,
            end_process: 12,
            settle: 25,
            sweep: 15,
        }
    }
}

/// Makes operations that speak of what is there, mostly.
#[derive(Clone, Debug)]
pub struct Generator {
    seed: u64,
    random: Random,
    weights: Weights,
    /// The last number that was given to an object or a holding.
    number: u64,
    /// How many holdings there are at most, about.
    most: usize,
}

impl Generator {
    /// From a seed. Numbers of objects and holdings come after `number`.
    #[must_use]
    pub fn new(seed: u64, weights: Weights, number: u64) -> Generator {
        // A generator of the xorshift kind takes a while to forget how few bits its seed has.
        let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for _ in 0..16 {
            random.word();
        }
        Generator { seed, random, weights, number, most: 150 }
    }

    /// Where it started.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The next operation, for what the model says there is.
    pub fn next(&mut self, model: &Model) -> Op {
        let held: Vec<(Holding, Actor)> = model.holdings().collect();
        let weights = self.weights;
        let full = if held.len() < self.most { 1 } else { 0 };
        let choices = [
            weights.create * full,
            weights.copy * full,
            weights.drop,
            weights.identify,
            weights.take * full,
            weights.hand * full,
            weights.dissolve,
            weights.carry * full,
            weights.end_object,
            weights.end_process,
            weights.settle,
            weights.sweep,
        ];
        let mut left = self.random.below(choices.iter().sum());
        let mut choice = 0;
        while left >= choices[choice] {
            left -= choices[choice];
            choice += 1;
        }
        self.make(choice, &held, model).unwrap_or_else(|| self.create(model))
    }

    fn make(&mut self, choice: usize, held: &[(Holding, Actor)], model: &Model) -> Option<Op> {
        Some(match choice {
            0 => self.create(model),
            1 => {
                let (from, actor) = self.pick(held)?;
                Op::Copy { actor, from, to: self.holding() }
            }
            2 => {
                let is_dead = |holding| model.behind(holding).is_none_or(|(_, lives)| !lives);
                let (holding, actor) = self.pick_rather(held, |holding, _| is_dead(holding))?;
                Op::Drop { actor, holding }
            }
            3 => {
                let (actor, route, _) = self.route(held, model)?;
                Op::Call { actor, route, action: Action::Identify }
            }
            4 => {
                let (actor, route, _) = self.route(held, model)?;
                let own = of(held, actor);
                let count = 1 + self.random.below(4) * self.random.below(2);
                let taken = (0..count).filter_map(|_| Some((self.pick(&own)?.0, self.holding()))).collect();
                Op::Call { actor, route, action: Action::Take(taken) }
            }
            5 => {
                let (actor, route, last) = self.route(held, model)?;
                let (what, _) = self.pick(&of(held, last))?;
                Op::Call { actor, route, action: Action::Hand(what, self.holding()) }
            }
            6 => {
                let (actor, route, _) = self.route(held, model)?;
                Op::Call { actor, route, action: Action::Dissolve }
            }
            7 => {
                let (what, from) = self.pick(held)?;
                Op::Carry { from, what, to: self.actor(model), holding: self.holding() }
            }
            8 => {
                let objects: Vec<(Object, Actor)> = model.objects().collect();
                let (object, actor) = self.pick(&objects)?;
                Op::Dissolve { actor, object }
            }
            9 => {
                let Process(process) = self.actor(model).process();
                Op::End { process: Process(process), killed: self.random.below(3) > 0 }
            }
            10 => Op::Settle,
            _ => Op::Sweep,
        })
    }

    fn create(&mut self, model: &Model) -> Op {
        Op::Create { actor: self.actor(model), object: Object(self.number()), holding: self.holding() }
    }

    /// Who begins, what each calls, and who comes last.
    fn route(&mut self, held: &[(Holding, Actor)], model: &Model) -> Option<(Actor, Vec<Holding>, Actor)> {
        // Rather what lives, and is not the caller's own.
        let is_good =
            |holding, holder| model.behind(holding).is_some_and(|(owner, lives)| lives && owner != holder);
        let (first, actor) = self.pick_rather(held, is_good)?;
        let mut route = vec![first];
        let (mut last, _) = model.behind(first)?;
        while route.len() < 5 && self.random.below(5) < 2 {
            let Some((next, _)) = self.pick_rather(&of(held, last), is_good) else { break };
            route.push(next);
            (last, _) = model.behind(next)?;
        }
        Some((actor, route, last))
    }

    /// One of those that are right in some way, seven times out of eight, if it is found soon; or any.
    fn pick_rather(
        &mut self,
        among: &[(Holding, Actor)],
        is_right: impl Fn(Holding, Actor) -> bool,
    ) -> Option<(Holding, Actor)> {
        let tries = if self.random.below(8) == 0 { 0 } else { 8 };
        for _ in 0..tries {
            let (holding, holder) = self.pick(among)?;
            if is_right(holding, holder) {
                return Some((holding, holder));
            }
        }
        self.pick(among)
    }

    fn pick<T: Copy>(&mut self, among: &[T]) -> Option<T> {
        if among.is_empty() { None } else { Some(among[self.random.below(among.len())]) }
    }

    fn actor(&mut self, model: &Model) -> Actor {
        Actor(self.random.below(model.actors().count()))
    }

    fn holding(&mut self) -> Holding {
        Holding(self.number())
    }

    fn number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }
}

fn of(held: &[(Holding, Actor)], actor: Actor) -> Vec<(Holding, Actor)> {
    held.iter().copied().filter(|(_, holder)| *holder == actor).collect()
}
