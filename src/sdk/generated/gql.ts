/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "query auditEvents($first: Int, $after: String, $filter: AuditFilter) {\n  auditEvents(first: $first, after: $after, filter: $filter) {\n    edges {\n      cursor\n      node {\n        id\n        at\n        actorName\n        action\n        subject\n        reason\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}": typeof types.AuditEventsDocument,
    "mutation cancelRequest($input: CancelRequestInput!) {\n  cancelRequest(input: $input) {\n    request {\n      id\n      status\n    }\n  }\n}": typeof types.CancelRequestDocument,
    "mutation changePassword($input: ChangePasswordInput!) {\n  changePassword(input: $input) {\n    token\n    expiresAt\n  }\n}": typeof types.ChangePasswordDocument,
    "mutation createApiKey($input: CreateApiKeyInput!) {\n  createApiKey(input: $input) {\n    apiKey {\n      id\n      name\n      prefix\n      createdAt\n      expiresAt\n    }\n    secret\n  }\n}": typeof types.CreateApiKeyDocument,
    "mutation createUser($input: CreateUserInput!) {\n  createUser(input: $input) {\n    user {\n      id\n      username\n      role\n    }\n  }\n}": typeof types.CreateUserDocument,
    "query dashboard($first: Int) {\n  dashboard {\n    load {\n      running\n      queued\n    }\n    lastHour {\n      total {\n        ...metricsFigures\n      }\n    }\n    byProvider {\n      ...metricsFigures\n    }\n    errorCodes {\n      code\n      requests\n    }\n    providers {\n      id\n      status\n      statusReason\n    }\n    recentRequests(first: $first) {\n      ...requestSummary\n      prompt\n    }\n  }\n}": typeof types.DashboardDocument,
    "query estimateCost($input: SubmitRequestInput!) {\n  estimateCost(input: $input) {\n    deploymentId\n    inputTokens\n    maxOutputTokens\n    cost\n    typicalCost\n    rejection\n  }\n}": typeof types.EstimateCostDocument,
    "mutation login($input: LoginInput!) {\n  login(input: $input) {\n    token\n    expiresAt\n    viewer {\n      id\n      username\n      role\n    }\n  }\n}": typeof types.LoginDocument,
    "mutation logout {\n  logout {\n    loggedOut\n  }\n}": typeof types.LogoutDocument,
    "query metrics($range: TimeRangeInput, $groupBy: MetricsDimension, $filter: RequestFilter) {\n  metrics(range: $range, groupBy: $groupBy, filter: $filter) {\n    computedAt\n    total {\n      ...metricsFigures\n    }\n    groups {\n      ...metricsFigures\n    }\n  }\n}": typeof types.MetricsDocument,
    "fragment metricsFigures on MetricsRow {\n  key\n  requests\n  succeeded\n  failed\n  cancelled\n  inProgress\n  inputTokens\n  outputTokens\n  cachedInputTokens\n  cost\n  unpriced\n  timeToFirstTokenMs {\n    p50\n    p95\n    p99\n  }\n  durationMs {\n    p50\n    p95\n    p99\n  }\n}": typeof types.MetricsFiguresFragmentDoc,
    "subscription metricsUpdates {\n  metricsUpdates {\n    computedAt\n    total {\n      ...metricsFigures\n    }\n  }\n}": typeof types.MetricsUpdatesDocument,
    "fragment providerState on Provider {\n  id\n  kind\n  status\n  statusReason\n  checkedAt\n  local\n  simulated\n  deployments {\n    id\n    model\n    aliases\n    contextWindow\n    maxOutputTokens\n    quality\n    local\n    simulated\n    price {\n      input\n      output\n      source\n    }\n    breaker {\n      state\n      failureRate\n      calls\n      failures\n      since\n      retryAt\n      lastError\n    }\n  }\n}": typeof types.ProviderStateFragmentDoc,
    "subscription providerUpdates {\n  providerUpdates {\n    ...providerState\n  }\n}": typeof types.ProviderUpdatesDocument,
    "query providers {\n  providers {\n    ...providerState\n  }\n}": typeof types.ProvidersDocument,
    "query request($id: ID!) {\n  request(id: $id) {\n    ...requestSummary\n    prompt\n    output\n    attempts {\n      number\n      deploymentId\n      servedModel\n      outcome\n      startedAt\n      timeToFirstTokenMs\n      durationMs\n      cost\n      priceSource\n      error {\n        code\n        message\n      }\n      usage {\n        inputTokens\n        outputTokens\n        cachedInputTokens\n        estimated\n      }\n    }\n    routing {\n      explanation\n      candidates {\n        deploymentId\n        score\n      }\n      rejections {\n        deploymentId\n        reason\n        detail\n      }\n    }\n  }\n}": typeof types.RequestDocument,
    "subscription requestFeed($filter: RequestFilter) {\n  requestFeed(filter: $filter) {\n    ...requestSummary\n  }\n}": typeof types.RequestFeedDocument,
    "fragment requestSummary on ModelRequest {\n  id\n  status\n  taskType\n  strategy\n  priority\n  preferLocal\n  requestedModel\n  deploymentId\n  servedModel\n  finishReason\n  provider {\n    id\n    kind\n    simulated\n  }\n  error {\n    code\n    message\n    retryable\n    retryAfterMs\n  }\n  usage {\n    inputTokens\n    outputTokens\n    cachedInputTokens\n    totalTokens\n    estimated\n  }\n  cost\n  createdAt\n  startedAt\n  firstTokenAt\n  finishedAt\n  timeToFirstTokenMs\n  durationMs\n  overheadMs\n}": typeof types.RequestSummaryFragmentDoc,
    "query requests($first: Int, $after: String, $last: Int, $before: String, $filter: RequestFilter) {\n  requests(\n    first: $first\n    after: $after\n    last: $last\n    before: $before\n    filter: $filter\n  ) {\n    edges {\n      cursor\n      node {\n        ...requestSummary\n        prompt\n      }\n    }\n    pageInfo {\n      hasNextPage\n      hasPreviousPage\n      startCursor\n      endCursor\n    }\n  }\n}": typeof types.RequestsDocument,
    "mutation resetBreaker($input: ResetBreakerInput!) {\n  resetBreaker(input: $input) {\n    provider {\n      ...providerState\n    }\n  }\n}": typeof types.ResetBreakerDocument,
    "mutation revokeApiKey($input: RevokeApiKeyInput!) {\n  revokeApiKey(input: $input) {\n    apiKey {\n      id\n      name\n      revokedAt\n    }\n  }\n}": typeof types.RevokeApiKeyDocument,
    "query simulateRoute($input: SubmitRequestInput!) {\n  simulateRoute(input: $input) {\n    strategy\n    explanation\n    estimatedInputTokens\n    estimatedOutputTokens\n    candidates {\n      deploymentId\n      score\n      local\n      estimatedCost\n      estimatedDurationMs\n    }\n    rejections {\n      deploymentId\n      reason\n      detail\n    }\n  }\n}": typeof types.SimulateRouteDocument,
    "mutation submitRequest($input: SubmitRequestInput!) {\n  submitRequest(input: $input) {\n    request {\n      id\n      status\n      createdAt\n    }\n  }\n}": typeof types.SubmitRequestDocument,
    "subscription tokenStream($requestId: ID!, $after: String) {\n  tokenStream(requestId: $requestId, after: $after) {\n    __typename\n    cursor\n    requestId\n    ... on TokenDelta {\n      text\n      step\n    }\n    ... on AttemptStarted {\n      attempt\n      deployment\n    }\n    ... on StreamRestarted {\n      attempt\n      reason\n      keepThrough\n    }\n    ... on StreamCompleted {\n      request {\n        ...requestSummary\n      }\n    }\n    ... on StreamFailed {\n      error {\n        code\n        message\n        retryable\n        retryAfterMs\n      }\n      request {\n        ...requestSummary\n      }\n    }\n  }\n}": typeof types.TokenStreamDocument,
    "mutation updateUser($input: UpdateUserInput!) {\n  updateUser(input: $input) {\n    user {\n      id\n      username\n      role\n      disabled\n    }\n  }\n}": typeof types.UpdateUserDocument,
    "query users($first: Int, $after: String) {\n  users(first: $first, after: $after) {\n    edges {\n      cursor\n      node {\n        id\n        username\n        role\n        disabled\n        createdAt\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}": typeof types.UsersDocument,
    "query viewer {\n  viewer {\n    id\n    username\n    role\n    createdAt\n    apiKeys {\n      id\n      name\n      prefix\n      createdAt\n      expiresAt\n      lastUsedAt\n      revokedAt\n    }\n  }\n}": typeof types.ViewerDocument,
};
const documents: Documents = {
    "query auditEvents($first: Int, $after: String, $filter: AuditFilter) {\n  auditEvents(first: $first, after: $after, filter: $filter) {\n    edges {\n      cursor\n      node {\n        id\n        at\n        actorName\n        action\n        subject\n        reason\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}": types.AuditEventsDocument,
    "mutation cancelRequest($input: CancelRequestInput!) {\n  cancelRequest(input: $input) {\n    request {\n      id\n      status\n    }\n  }\n}": types.CancelRequestDocument,
    "mutation changePassword($input: ChangePasswordInput!) {\n  changePassword(input: $input) {\n    token\n    expiresAt\n  }\n}": types.ChangePasswordDocument,
    "mutation createApiKey($input: CreateApiKeyInput!) {\n  createApiKey(input: $input) {\n    apiKey {\n      id\n      name\n      prefix\n      createdAt\n      expiresAt\n    }\n    secret\n  }\n}": types.CreateApiKeyDocument,
    "mutation createUser($input: CreateUserInput!) {\n  createUser(input: $input) {\n    user {\n      id\n      username\n      role\n    }\n  }\n}": types.CreateUserDocument,
    "query dashboard($first: Int) {\n  dashboard {\n    load {\n      running\n      queued\n    }\n    lastHour {\n      total {\n        ...metricsFigures\n      }\n    }\n    byProvider {\n      ...metricsFigures\n    }\n    errorCodes {\n      code\n      requests\n    }\n    providers {\n      id\n      status\n      statusReason\n    }\n    recentRequests(first: $first) {\n      ...requestSummary\n      prompt\n    }\n  }\n}": types.DashboardDocument,
    "query estimateCost($input: SubmitRequestInput!) {\n  estimateCost(input: $input) {\n    deploymentId\n    inputTokens\n    maxOutputTokens\n    cost\n    typicalCost\n    rejection\n  }\n}": types.EstimateCostDocument,
    "mutation login($input: LoginInput!) {\n  login(input: $input) {\n    token\n    expiresAt\n    viewer {\n      id\n      username\n      role\n    }\n  }\n}": types.LoginDocument,
    "mutation logout {\n  logout {\n    loggedOut\n  }\n}": types.LogoutDocument,
    "query metrics($range: TimeRangeInput, $groupBy: MetricsDimension, $filter: RequestFilter) {\n  metrics(range: $range, groupBy: $groupBy, filter: $filter) {\n    computedAt\n    total {\n      ...metricsFigures\n    }\n    groups {\n      ...metricsFigures\n    }\n  }\n}": types.MetricsDocument,
    "fragment metricsFigures on MetricsRow {\n  key\n  requests\n  succeeded\n  failed\n  cancelled\n  inProgress\n  inputTokens\n  outputTokens\n  cachedInputTokens\n  cost\n  unpriced\n  timeToFirstTokenMs {\n    p50\n    p95\n    p99\n  }\n  durationMs {\n    p50\n    p95\n    p99\n  }\n}": types.MetricsFiguresFragmentDoc,
    "subscription metricsUpdates {\n  metricsUpdates {\n    computedAt\n    total {\n      ...metricsFigures\n    }\n  }\n}": types.MetricsUpdatesDocument,
    "fragment providerState on Provider {\n  id\n  kind\n  status\n  statusReason\n  checkedAt\n  local\n  simulated\n  deployments {\n    id\n    model\n    aliases\n    contextWindow\n    maxOutputTokens\n    quality\n    local\n    simulated\n    price {\n      input\n      output\n      source\n    }\n    breaker {\n      state\n      failureRate\n      calls\n      failures\n      since\n      retryAt\n      lastError\n    }\n  }\n}": types.ProviderStateFragmentDoc,
    "subscription providerUpdates {\n  providerUpdates {\n    ...providerState\n  }\n}": types.ProviderUpdatesDocument,
    "query providers {\n  providers {\n    ...providerState\n  }\n}": types.ProvidersDocument,
    "query request($id: ID!) {\n  request(id: $id) {\n    ...requestSummary\n    prompt\n    output\n    attempts {\n      number\n      deploymentId\n      servedModel\n      outcome\n      startedAt\n      timeToFirstTokenMs\n      durationMs\n      cost\n      priceSource\n      error {\n        code\n        message\n      }\n      usage {\n        inputTokens\n        outputTokens\n        cachedInputTokens\n        estimated\n      }\n    }\n    routing {\n      explanation\n      candidates {\n        deploymentId\n        score\n      }\n      rejections {\n        deploymentId\n        reason\n        detail\n      }\n    }\n  }\n}": types.RequestDocument,
    "subscription requestFeed($filter: RequestFilter) {\n  requestFeed(filter: $filter) {\n    ...requestSummary\n  }\n}": types.RequestFeedDocument,
    "fragment requestSummary on ModelRequest {\n  id\n  status\n  taskType\n  strategy\n  priority\n  preferLocal\n  requestedModel\n  deploymentId\n  servedModel\n  finishReason\n  provider {\n    id\n    kind\n    simulated\n  }\n  error {\n    code\n    message\n    retryable\n    retryAfterMs\n  }\n  usage {\n    inputTokens\n    outputTokens\n    cachedInputTokens\n    totalTokens\n    estimated\n  }\n  cost\n  createdAt\n  startedAt\n  firstTokenAt\n  finishedAt\n  timeToFirstTokenMs\n  durationMs\n  overheadMs\n}": types.RequestSummaryFragmentDoc,
    "query requests($first: Int, $after: String, $last: Int, $before: String, $filter: RequestFilter) {\n  requests(\n    first: $first\n    after: $after\n    last: $last\n    before: $before\n    filter: $filter\n  ) {\n    edges {\n      cursor\n      node {\n        ...requestSummary\n        prompt\n      }\n    }\n    pageInfo {\n      hasNextPage\n      hasPreviousPage\n      startCursor\n      endCursor\n    }\n  }\n}": types.RequestsDocument,
    "mutation resetBreaker($input: ResetBreakerInput!) {\n  resetBreaker(input: $input) {\n    provider {\n      ...providerState\n    }\n  }\n}": types.ResetBreakerDocument,
    "mutation revokeApiKey($input: RevokeApiKeyInput!) {\n  revokeApiKey(input: $input) {\n    apiKey {\n      id\n      name\n      revokedAt\n    }\n  }\n}": types.RevokeApiKeyDocument,
    "query simulateRoute($input: SubmitRequestInput!) {\n  simulateRoute(input: $input) {\n    strategy\n    explanation\n    estimatedInputTokens\n    estimatedOutputTokens\n    candidates {\n      deploymentId\n      score\n      local\n      estimatedCost\n      estimatedDurationMs\n    }\n    rejections {\n      deploymentId\n      reason\n      detail\n    }\n  }\n}": types.SimulateRouteDocument,
    "mutation submitRequest($input: SubmitRequestInput!) {\n  submitRequest(input: $input) {\n    request {\n      id\n      status\n      createdAt\n    }\n  }\n}": types.SubmitRequestDocument,
    "subscription tokenStream($requestId: ID!, $after: String) {\n  tokenStream(requestId: $requestId, after: $after) {\n    __typename\n    cursor\n    requestId\n    ... on TokenDelta {\n      text\n      step\n    }\n    ... on AttemptStarted {\n      attempt\n      deployment\n    }\n    ... on StreamRestarted {\n      attempt\n      reason\n      keepThrough\n    }\n    ... on StreamCompleted {\n      request {\n        ...requestSummary\n      }\n    }\n    ... on StreamFailed {\n      error {\n        code\n        message\n        retryable\n        retryAfterMs\n      }\n      request {\n        ...requestSummary\n      }\n    }\n  }\n}": types.TokenStreamDocument,
    "mutation updateUser($input: UpdateUserInput!) {\n  updateUser(input: $input) {\n    user {\n      id\n      username\n      role\n      disabled\n    }\n  }\n}": types.UpdateUserDocument,
    "query users($first: Int, $after: String) {\n  users(first: $first, after: $after) {\n    edges {\n      cursor\n      node {\n        id\n        username\n        role\n        disabled\n        createdAt\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}": types.UsersDocument,
    "query viewer {\n  viewer {\n    id\n    username\n    role\n    createdAt\n    apiKeys {\n      id\n      name\n      prefix\n      createdAt\n      expiresAt\n      lastUsedAt\n      revokedAt\n    }\n  }\n}": types.ViewerDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query auditEvents($first: Int, $after: String, $filter: AuditFilter) {\n  auditEvents(first: $first, after: $after, filter: $filter) {\n    edges {\n      cursor\n      node {\n        id\n        at\n        actorName\n        action\n        subject\n        reason\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}"): typeof import('./graphql.ts').AuditEventsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation cancelRequest($input: CancelRequestInput!) {\n  cancelRequest(input: $input) {\n    request {\n      id\n      status\n    }\n  }\n}"): typeof import('./graphql.ts').CancelRequestDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation changePassword($input: ChangePasswordInput!) {\n  changePassword(input: $input) {\n    token\n    expiresAt\n  }\n}"): typeof import('./graphql.ts').ChangePasswordDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation createApiKey($input: CreateApiKeyInput!) {\n  createApiKey(input: $input) {\n    apiKey {\n      id\n      name\n      prefix\n      createdAt\n      expiresAt\n    }\n    secret\n  }\n}"): typeof import('./graphql.ts').CreateApiKeyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation createUser($input: CreateUserInput!) {\n  createUser(input: $input) {\n    user {\n      id\n      username\n      role\n    }\n  }\n}"): typeof import('./graphql.ts').CreateUserDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query dashboard($first: Int) {\n  dashboard {\n    load {\n      running\n      queued\n    }\n    lastHour {\n      total {\n        ...metricsFigures\n      }\n    }\n    byProvider {\n      ...metricsFigures\n    }\n    errorCodes {\n      code\n      requests\n    }\n    providers {\n      id\n      status\n      statusReason\n    }\n    recentRequests(first: $first) {\n      ...requestSummary\n      prompt\n    }\n  }\n}"): typeof import('./graphql.ts').DashboardDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query estimateCost($input: SubmitRequestInput!) {\n  estimateCost(input: $input) {\n    deploymentId\n    inputTokens\n    maxOutputTokens\n    cost\n    typicalCost\n    rejection\n  }\n}"): typeof import('./graphql.ts').EstimateCostDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation login($input: LoginInput!) {\n  login(input: $input) {\n    token\n    expiresAt\n    viewer {\n      id\n      username\n      role\n    }\n  }\n}"): typeof import('./graphql.ts').LoginDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation logout {\n  logout {\n    loggedOut\n  }\n}"): typeof import('./graphql.ts').LogoutDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query metrics($range: TimeRangeInput, $groupBy: MetricsDimension, $filter: RequestFilter) {\n  metrics(range: $range, groupBy: $groupBy, filter: $filter) {\n    computedAt\n    total {\n      ...metricsFigures\n    }\n    groups {\n      ...metricsFigures\n    }\n  }\n}"): typeof import('./graphql.ts').MetricsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "fragment metricsFigures on MetricsRow {\n  key\n  requests\n  succeeded\n  failed\n  cancelled\n  inProgress\n  inputTokens\n  outputTokens\n  cachedInputTokens\n  cost\n  unpriced\n  timeToFirstTokenMs {\n    p50\n    p95\n    p99\n  }\n  durationMs {\n    p50\n    p95\n    p99\n  }\n}"): typeof import('./graphql.ts').MetricsFiguresFragmentDoc;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription metricsUpdates {\n  metricsUpdates {\n    computedAt\n    total {\n      ...metricsFigures\n    }\n  }\n}"): typeof import('./graphql.ts').MetricsUpdatesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "fragment providerState on Provider {\n  id\n  kind\n  status\n  statusReason\n  checkedAt\n  local\n  simulated\n  deployments {\n    id\n    model\n    aliases\n    contextWindow\n    maxOutputTokens\n    quality\n    local\n    simulated\n    price {\n      input\n      output\n      source\n    }\n    breaker {\n      state\n      failureRate\n      calls\n      failures\n      since\n      retryAt\n      lastError\n    }\n  }\n}"): typeof import('./graphql.ts').ProviderStateFragmentDoc;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription providerUpdates {\n  providerUpdates {\n    ...providerState\n  }\n}"): typeof import('./graphql.ts').ProviderUpdatesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query providers {\n  providers {\n    ...providerState\n  }\n}"): typeof import('./graphql.ts').ProvidersDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query request($id: ID!) {\n  request(id: $id) {\n    ...requestSummary\n    prompt\n    output\n    attempts {\n      number\n      deploymentId\n      servedModel\n      outcome\n      startedAt\n      timeToFirstTokenMs\n      durationMs\n      cost\n      priceSource\n      error {\n        code\n        message\n      }\n      usage {\n        inputTokens\n        outputTokens\n        cachedInputTokens\n        estimated\n      }\n    }\n    routing {\n      explanation\n      candidates {\n        deploymentId\n        score\n      }\n      rejections {\n        deploymentId\n        reason\n        detail\n      }\n    }\n  }\n}"): typeof import('./graphql.ts').RequestDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription requestFeed($filter: RequestFilter) {\n  requestFeed(filter: $filter) {\n    ...requestSummary\n  }\n}"): typeof import('./graphql.ts').RequestFeedDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "fragment requestSummary on ModelRequest {\n  id\n  status\n  taskType\n  strategy\n  priority\n  preferLocal\n  requestedModel\n  deploymentId\n  servedModel\n  finishReason\n  provider {\n    id\n    kind\n    simulated\n  }\n  error {\n    code\n    message\n    retryable\n    retryAfterMs\n  }\n  usage {\n    inputTokens\n    outputTokens\n    cachedInputTokens\n    totalTokens\n    estimated\n  }\n  cost\n  createdAt\n  startedAt\n  firstTokenAt\n  finishedAt\n  timeToFirstTokenMs\n  durationMs\n  overheadMs\n}"): typeof import('./graphql.ts').RequestSummaryFragmentDoc;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query requests($first: Int, $after: String, $last: Int, $before: String, $filter: RequestFilter) {\n  requests(\n    first: $first\n    after: $after\n    last: $last\n    before: $before\n    filter: $filter\n  ) {\n    edges {\n      cursor\n      node {\n        ...requestSummary\n        prompt\n      }\n    }\n    pageInfo {\n      hasNextPage\n      hasPreviousPage\n      startCursor\n      endCursor\n    }\n  }\n}"): typeof import('./graphql.ts').RequestsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation resetBreaker($input: ResetBreakerInput!) {\n  resetBreaker(input: $input) {\n    provider {\n      ...providerState\n    }\n  }\n}"): typeof import('./graphql.ts').ResetBreakerDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation revokeApiKey($input: RevokeApiKeyInput!) {\n  revokeApiKey(input: $input) {\n    apiKey {\n      id\n      name\n      revokedAt\n    }\n  }\n}"): typeof import('./graphql.ts').RevokeApiKeyDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query simulateRoute($input: SubmitRequestInput!) {\n  simulateRoute(input: $input) {\n    strategy\n    explanation\n    estimatedInputTokens\n    estimatedOutputTokens\n    candidates {\n      deploymentId\n      score\n      local\n      estimatedCost\n      estimatedDurationMs\n    }\n    rejections {\n      deploymentId\n      reason\n      detail\n    }\n  }\n}"): typeof import('./graphql.ts').SimulateRouteDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation submitRequest($input: SubmitRequestInput!) {\n  submitRequest(input: $input) {\n    request {\n      id\n      status\n      createdAt\n    }\n  }\n}"): typeof import('./graphql.ts').SubmitRequestDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription tokenStream($requestId: ID!, $after: String) {\n  tokenStream(requestId: $requestId, after: $after) {\n    __typename\n    cursor\n    requestId\n    ... on TokenDelta {\n      text\n      step\n    }\n    ... on AttemptStarted {\n      attempt\n      deployment\n    }\n    ... on StreamRestarted {\n      attempt\n      reason\n      keepThrough\n    }\n    ... on StreamCompleted {\n      request {\n        ...requestSummary\n      }\n    }\n    ... on StreamFailed {\n      error {\n        code\n        message\n        retryable\n        retryAfterMs\n      }\n      request {\n        ...requestSummary\n      }\n    }\n  }\n}"): typeof import('./graphql.ts').TokenStreamDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation updateUser($input: UpdateUserInput!) {\n  updateUser(input: $input) {\n    user {\n      id\n      username\n      role\n      disabled\n    }\n  }\n}"): typeof import('./graphql.ts').UpdateUserDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query users($first: Int, $after: String) {\n  users(first: $first, after: $after) {\n    edges {\n      cursor\n      node {\n        id\n        username\n        role\n        disabled\n        createdAt\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}"): typeof import('./graphql.ts').UsersDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query viewer {\n  viewer {\n    id\n    username\n    role\n    createdAt\n    apiKeys {\n      id\n      name\n      prefix\n      createdAt\n      expiresAt\n      lastUsedAt\n      revokedAt\n    }\n  }\n}"): typeof import('./graphql.ts').ViewerDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
