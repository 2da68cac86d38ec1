import { consul } from '../../servers/consul.js';
import { describeOwn } from '../../servers/describe-own.js';
import { answersAsMemoryDoes } from '../../support/walk.js';
import { Stage } from './support/consul-under-test.js';

describeOwn(consul)('a server with Consul behind it', () => {
  const stage = new Stage();
  answersAsMemoryDoes(() => ({ REGISTRY_TYPE: 'consul', CONSUL_PORT: String(stage.agent.port) }));
});
