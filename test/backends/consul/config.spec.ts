import { consul } from '../../servers/consul.js';
import { describeOwn } from '../../servers/describe-own.js';
import { replicasShareConfiguration } from '../../support/config-replicas.js';
import { Stage } from './support/consul-under-test.js';

describeOwn(consul)('configuration on Consul', () => {
  const stage = new Stage();
  replicasShareConfiguration(
    () => ({ REGISTRY_TYPE: 'consul', CONSUL_PORT: String(stage.agent.port) }),
    process.env.SOAK ? 1_000 : undefined,
  );
});
