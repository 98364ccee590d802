import { ApiCheck, AssertionBuilder, BrowserCheck, Frequency, RetryStrategyBuilder, TcpAssertionBuilder, TcpMonitor } from 'checkly/constructs'
// new ApiCheck('a comment', { name: 'not there' })
new ApiCheck('stats', {
  name: 'Fetch stats',
  frequency: Frequency.EVERY_10M,
  degradedResponseTime: 1000,
  maxResponseTime: 20000,
  locations: ['eu-west-1'],
  retryStrategy: RetryStrategyBuilder.linearStrategy({ baseBackoffSeconds: 5, maxRetries: 2 }),
  setupScript: { content: 'x' },
  request: {
    url: `${process.env.BASE_URL}/stats`,
    method: 'POST',
    headers: [{ key: 'Authorization', value: 'Bearer {{API_TOKEN}}' }],
    body: JSON.stringify({ page: 1, password: 'canary-hunter22' }),
    bodyType: 'JSON',
    followRedirects: false,
    assertions: [
      AssertionBuilder.statusCode().equals(200),
      AssertionBuilder.jsonBody('$.results').greaterThan(0),
      AssertionBuilder.headers('x-version', '(\\d)').equals('1'),
    ],
  },
})
new TcpMonitor('echo', {
  name: 'Echo',
  activated: false,
  request: { hostname: 'echo.example', port: 4242, data: 'ping\n', assertions: [TcpAssertionBuilder.responseData().contains('ping')] },
})
new BrowserCheck('login', { name: 'Login', code: { entrypoint: path.join(__dirname, 'login.spec.ts') } })
