import type { BalancingStrategy, Pick, PickRequest, ServiceInstance, StrategyContext, StrategyModule } from '#core';
import { OutcomeRecorder } from './outcomes.js';
import { STRATEGIES } from './strategies/index.js';

export interface BalancerOptions {
  readonly strategies?: readonly StrategyModule[];
  /** For whoever names none. */
  readonly defaultStrategy?: string;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
  readonly recorder?: OutcomeRecorder;
}

export class UnknownStrategyError extends Error {
  override readonly name = 'UnknownStrategyError';

  constructor(
    readonly strategy: string,
    readonly allowed: readonly string[],
  ) {
    super(`unknown strategy ${JSON.stringify(strategy)}; allowed are ${allowed.join(', ')}`);
  }
}

/** Picks by any of its strategies and remembers what was picked. Each strategy is made when it is first asked for. */
export class Balancer {
  readonly recorder: OutcomeRecorder;
  readonly defaultStrategy: string;
  private readonly modules: ReadonlyMap<string, StrategyModule>;
  private readonly strategies = new Map<string, BalancingStrategy>();
  private readonly context: StrategyContext;
  private readonly picked = new Map<string, number>();

  /** @throws UnknownStrategyError for a default that is not in the list; Error for two strategies of one name. */
  constructor(options: BalancerOptions = {}) {
    const { strategies = STRATEGIES, defaultStrategy = 'round_robin', random = Math.random } = options;
    const now = options.now ?? (() => performance.now());
    const recorder = options.recorder ?? new OutcomeRecorder({ now });
    this.recorder = recorder;
    this.defaultStrategy = defaultStrategy;
    this.context = { now, random, stats: (key) => recorder.stats(key) };
    this.modules = byName(strategies);
    if (!this.modules.has(defaultStrategy)) throw new UnknownStrategyError(defaultStrategy, this.names);
  }

  get names(): readonly string[] {
    return [...this.modules.keys()];
  }

  /** How often each strategy has picked. */
  get picks(): ReadonlyMap<string, number> {
    return this.picked;
  }

  /**
   * One of the candidates; undefined when there is none. Counts as in flight until its `done` is called.
   * @throws UnknownStrategyError
   */
  pick(strategy: string | undefined, candidates: readonly ServiceInstance[], request: PickRequest): Pick | undefined {
    const name = strategy ?? this.defaultStrategy;
    const choice = this.strategy(name).pick(candidates, request);
    if (!choice) return undefined;
    this.picked.set(name, (this.picked.get(name) ?? 0) + 1);
    const done = this.recorder.started(choice.instance);
    return {
      instance: choice.instance,
      get reason() {
        return choice.reason;
      },
      done,
    };
  }

  private strategy(name: string): BalancingStrategy {
    let strategy = this.strategies.get(name);
    if (!strategy) {
      const module = this.modules.get(name);
      if (!module) throw new UnknownStrategyError(name, this.names);
      this.strategies.set(name, (strategy = module.create(this.context)));
    }
    return strategy;
  }
}

function byName(strategies: readonly StrategyModule[]): ReadonlyMap<string, StrategyModule> {
  const modules = new Map<string, StrategyModule>();
  for (const module of strategies) {
    if (modules.has(module.name)) throw new Error(`two strategies are called ${module.name}`);
    modules.set(module.name, module);
  }
  return modules;
}
