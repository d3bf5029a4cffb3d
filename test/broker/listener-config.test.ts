import { expect } from 'chai';
import type { ConnectionInfo } from '../../src/api/context.ts';
import { endpointLookup, registeredEndpoints } from '../../src/broker/endpoints.ts';
import { listenerConfigs } from '../../src/broker/listener-config.ts';
import { Settings } from '../../src/broker/settings.ts';
import { SettingsError } from '../../src/broker/settings-error.ts';
import { MetadataImage } from '../../src/machine/metadata/image.ts';

const configsOf = (values: Record<string, string>) =>
  listenerConfigs(new Settings([{ origin: 'test', values: new Map(Object.entries(values)) }]));
const reached = (listenerName: string, localHost: string, localPort: number): ConnectionInfo =>
  ({ listenerName, localHost, localPort }) as ConnectionInfo;

describe('listeners', () => {
  it("are Apache Kafka's one when none is named", () => {
    const { client, controller, advertised } = configsOf({});
    expect(client).to.deep.equal([{ name: 'PLAINTEXT', host: '', port: 9092 }]);
    expect([controller.length, advertised.size]).to.deep.equal([0, 0]);
  });

  it('may be several, with IPv6, and those of controllers are not for clients', () => {
    const { client, controller } = configsOf({
      listeners: 'PLAINTEXT://[::1]:9092,inside://10.0.0.1:9093,CONTROLLER://:9094',
      'listener.security.protocol.map': 'INSIDE:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    });
    expect(client).to.deep.equal([
      { name: 'PLAINTEXT', host: '::1', port: 9092 },
      { name: 'INSIDE', host: '10.0.0.1', port: 9093 },
    ]);
    expect(controller).to.deep.equal([{ name: 'CONTROLLER', host: '', port: 9094 }]);
  });

  it('may share a port on distinct addresses', () => {
    const { client } = configsOf({
      listeners: 'PLAINTEXT://127.0.0.1:1,B://[::1]:1',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,B:PLAINTEXT',
    });
    expect(client.length).to.equal(2);
  });

  const wrong: Record<string, readonly [Record<string, string>, string]> = {
    'no address': [{ listeners: 'PLAINTEXT' }, 'Invalid value PLAINTEXT for configuration listeners: Unable to parse it'],
    'a port out of range': [{ listeners: 'PLAINTEXT://:65536' }, 'Unable to parse it'],
    'one name twice': [{ listeners: 'PLAINTEXT://:1,PLAINTEXT://:2' }, 'Each listener must have a different name'],
    'one port twice': [
      { listeners: 'PLAINTEXT://:1,B://:1', 'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,B:PLAINTEXT' },
      'Each listener must have a different port',
    ],
    'a name without protocol': [{ listeners: 'OUTSIDE://:1' }, 'No security protocol defined for listener OUTSIDE'],
    encryption: [{ listeners: 'SSL://:1' }, 'Listener SSL asks for SSL, which is not there yet'],
    'an unknown protocol': [{ 'listener.security.protocol.map': 'PLAINTEXT:PLAIN' }, 'Invalid value PLAINTEXT:PLAIN'],
    'only controllers': [{ listeners: 'CONTROLLER://:1' }, 'has no listener for clients'],
    'an advertised listener that is none': [
      { 'advertised.listeners': 'B://h:1', 'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,B:PLAINTEXT' },
      'advertised.listeners names B',
    ],
    'an advertised address for everything': [
      { 'advertised.listeners': 'PLAINTEXT://0.0.0.0:1' },
      'cannot use the nonroutable meta-address 0.0.0.0',
    ],
  };
  for (const [what, [values, message]] of Object.entries(wrong)) {
    it(`refuse ${what}`, () => {
      expect(() => configsOf(values)).to.throw(SettingsError, message);
    });
  }
});

describe('endpoints', () => {
  const image = new MetadataImage();

  it('are the address by which the client came where nothing is advertised', () => {
    const endpointOf = endpointLookup({ nodeId: 1, rack: 'r', image, advertised: new Map() });
    expect(endpointOf(1, reached('PLAINTEXT', '127.0.0.1', 9092))).to.deep.equal({
      nodeId: 1,
      host: '127.0.0.1',
      port: 9092,
      rack: 'r',
    });
    expect(endpointOf(1, reached('PLAINTEXT', '::1', 9092))).to.include({ host: '::1' });
    expect(endpointOf(1, reached('PLAINTEXT', '172.17.0.2', 9093))).to.include({ host: '172.17.0.2', port: 9093 });
    expect(endpointOf(2, reached('PLAINTEXT', '127.0.0.1', 9092))).to.equal(undefined);
  });

  it('are what is advertised for the listener of the client', () => {
    const { advertised } = configsOf({
      listeners: 'PLAINTEXT://:9092,HOST://:9093',
      'advertised.listeners': 'PLAINTEXT://broker:19092',
      'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT',
    });
    const endpointOf = endpointLookup({ nodeId: 1, rack: null, image, advertised });
    expect(endpointOf(1, reached('PLAINTEXT', '127.0.0.1', 9092))).to.include({ host: 'broker', port: 19092 });
    expect(endpointOf(1, reached('HOST', '127.0.0.1', 9093))).to.include({ host: '127.0.0.1', port: 9093 });
  });

  it('for the metadata log are concrete', () => {
    const bound = [
      { name: 'A', host: '', port: 1 },
      { name: 'B', host: '10.0.0.1', port: 2 },
      { name: 'C', host: '0.0.0.0', port: 3 },
    ];
    const advertised = new Map([['C', { name: 'C', host: 'public', port: 4 }]]);
    expect(registeredEndpoints(bound, advertised)).to.deep.equal([
      { name: 'A', host: 'localhost', port: 1, securityProtocol: 0 },
      { name: 'B', host: '10.0.0.1', port: 2, securityProtocol: 0 },
      { name: 'C', host: 'public', port: 4, securityProtocol: 0 },
    ]);
  });
});
