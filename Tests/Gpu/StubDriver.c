/* A CUDA driver without a GPU: device memory is host memory, copies are made, kernels are counted. They run if a test has set a machine that
   executes their text. What the host code asked for can be read back through the stub_* functions. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int result;
enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_FOUND = 500, LAUNCH_FAILED = 719 };

static size_t total = (size_t)1 << 30, used, uploaded;
static int launches, modules, captures, graph_launches, null_stream_launches, capturing, synchronizations, pageable_copies, copies, waits;
static int version = 12080, refuse_graphs, refuse_edges, refuse_programmatic, refuse_modules, allocation_error, lost_edge, order;
static char last_ptx[1 << 20];

/* The blocks of page-locked memory. A copy from or to other host memory makes the host wait. */
enum { most_pinned = 256 };
static struct { char *start; size_t bytes; } pinned[most_pinned];
static int is_pinned(void *p)
{
    for (int i = 0; i < most_pinned; i++)
        if (pinned[i].start && (char *)p >= pinned[i].start && (char *)p < pinned[i].start + pinned[i].bytes) return 1;
    return 0;
}
static void pin(void *p, size_t n) { for (int i = 0; i < most_pinned; i++) if (!pinned[i].start) { pinned[i].start = p; pinned[i].bytes = n; return; } abort(); }
static void unpin(void *p) { for (int i = 0; i < most_pinned; i++) if (pinned[i].start == p) pinned[i].start = 0; }

/* The handle of a module is its text; so is the handle of its only function. */
struct module { int number; char *text; };

/* The machine that executes kernels. A launch is first prepared, which copies its arguments, and then run once or with every launch of a graph. */
static void *(*prepare)(int module, const char *text, int gx, int gy, int gz, int bx, int by, int bz, const void *arguments, size_t bytes);
static int (*run)(void *launch);
static void (*forget)(void *launch);
static char fault[1 << 14];
void stub_set_machine(void *p, void *r, void *f) { prepare = p; run = r; forget = f; }
void stub_set_fault(const char *text) { strncpy(fault, text, sizeof fault - 1); }

/* A graph: kernels and copies in the order of their capture, each with the nodes that it depends on. The number of a node, from 1 on, identifies it. */
struct edge { unsigned char from_port, to_port, type, reserved[5]; };
struct dependency { int node, programmatic; };
struct node { void *launch, *to, *from; size_t bytes; int is_kernel, dependencies; struct dependency *dependency; };
struct graph { int kernels, nodes, room, edges, programmatic; struct node *node; };
static struct graph *captured, *last_graph;

/* The nodes on which the next captured node depends. */
enum { most_dependencies = 1 << 12 };
static struct dependency next[most_dependencies];
static int next_count;

static result add(struct graph *g, struct node n, const char *text)
{
    for (int i = 0; i < next_count; i++)
    {
        /* Programmatic edges connect kernels. A kernel that starts early must wait before it accesses memory. */
        if (next[i].programmatic && (!n.is_kernel || !strstr(text, "griddepcontrol.wait;"))) return INVALID_VALUE;
        g->programmatic += next[i].programmatic;
    }

    if (g->nodes == g->room) g->node = realloc(g->node, (g->room = 2 * g->room + 64) * sizeof n);
    n.dependencies = next_count;
    n.dependency = memcpy(malloc(next_count * sizeof *next + 1), next, next_count * sizeof *next);
    g->edges += next_count;
    g->kernels += n.is_kernel;
    g->node[g->nodes++] = n;
    next[0] = (struct dependency){ g->nodes, 0 };
    next_count = 1;
    return OK;
}

void stub_set_version(int v) { version = v; }
void stub_set_refuse_graphs(int v) { refuse_graphs = v; }
void stub_set_refuse_edges(int v) { refuse_edges = v; }
void stub_set_refuse_programmatic(int v) { refuse_programmatic = v; }
void stub_set_lost_edge(int v) { lost_edge = v; }        /* the number of an edge that graphs leave out, from 1 on */
void stub_set_order(int v) { order = v; }                /* of a graph's nodes: 0 that of the capture, 1 always the last that its edges allow, else one drawn of those that they allow */
void stub_set_refuse_modules(int v) { refuse_modules = v; }
void stub_set_allocation_error(int v) { allocation_error = v; }
void stub_set_room(int bytes) { total = bytes < 0 ? (size_t)1 << 30 : used + bytes; }
int stub_uploaded_bytes(void) { return (int)uploaded; }
int stub_synchronizations(void) { return synchronizations; }
int stub_pageable_copies(void) { return pageable_copies; }
int stub_copies(void) { return copies; }
int stub_waits(void) { return waits; }
int stub_graph_kernels(void) { return last_graph ? last_graph->kernels : 0; }
int stub_graph_edges(void) { return last_graph ? last_graph->edges : 0; }
int stub_graph_programmatic(void) { return last_graph ? last_graph->programmatic : 0; }

int stub_launches(void) { return launches; }
int stub_modules(void) { return modules; }
int stub_captures(void) { return captures; }
int stub_graph_launches(void) { return graph_launches; }
int stub_null_stream_launches(void) { return null_stream_launches; }
int stub_capturing(void) { return capturing; }
const char *stub_last_ptx(void) { return last_ptx; }

result cuInit(unsigned flags) { return OK; }
result cuDriverGetVersion(int *v) { *v = version; return OK; }
result cuDeviceGetCount(int *count) { *count = 1; return OK; }
result cuDeviceGet(int *device, int ordinal) { *device = ordinal; return OK; }
result cuDeviceGetName(char *name, int length, int device) { strncpy(name, "Stub H200", length); return OK; }
result cuDeviceTotalMem_v2(size_t *bytes, int device) { *bytes = total; return OK; }
result cuDeviceGetAttribute(int *value, int attribute, int device)
{
    switch (attribute)
    {
        case 1: case 2: *value = 1024; break;           /* threads of a block */
        case 3: *value = 64; break;
        case 4: *value = 2048; break;                   /* something positive */
        case 5: *value = 2147483647; break;             /* grid */
        case 6: case 7: *value = 65535; break;
        case 8: *value = 49152; break;                  /* shared memory of a block */
        case 9: case 12: case 82: *value = 65536; break;
        case 10: *value = 32; break;                    /* warp */
        case 16: *value = 132; break;                   /* multiprocessors */
        case 39: *value = 2048; break;
        case 75: *value = 9; break;                     /* compute capability 9.0 */
        case 76: *value = 0; break;
        case 81: case 97: *value = 232448; break;
        default: *value = 1;
    }
    return OK;
}
result cuDeviceCanAccessPeer(int *can, int a, int b) { *can = 0; return OK; }
result cuDeviceGetP2PAttribute(int *value, int attribute, int a, int b) { *value = 0; return OK; }

static int context;
result cuCtxCreate_v2(void **c, unsigned flags, int device) { *c = &context; return OK; }
result cuCtxDestroy_v2(void *c) { return OK; }
result cuCtxSetCurrent(void *c) { return OK; }
result cuCtxSynchronize(void) { return OK; }
result cuCtxGetCacheConfig(int *config) { *config = 0; return OK; }
result cuCtxSetCacheConfig(int config) { return OK; }
result cuCtxGetSharedMemConfig(int *config) { *config = 0; return OK; }
result cuCtxSetSharedMemConfig(int config) { return OK; }

/* Live blocks, by their addresses. */
enum { most_blocks = 1 << 16 };
static struct { char *start; size_t bytes; } blocks[most_blocks];
static int held;
static int place_of(void *p) { int low = 0, high = held; while (low < high) { int mid = (low + high) / 2; if (blocks[mid].start < (char *)p) low = mid + 1; else high = mid; } return low; }
int stub_blocks(uintptr_t *starts, uintptr_t *ends, int most)
{
    for (int i = 0; i < held && i < most; i++) { starts[i] = (uintptr_t)blocks[i].start; ends[i] = starts[i] + blocks[i].bytes; }
    return held;
}

/* If kernels run, a new block holds NaN, so that code that expects zeros is found. */
result cuMemAlloc_v2(void **p, size_t n)
{
    if (allocation_error) return allocation_error;
    if (used + n > total || held == most_blocks) return OUT_OF_MEMORY;
    *p = aligned_alloc(256, (n + 255) / 256 * 256);
    memset(*p, prepare ? 0xff : 0, n);
    int at = place_of(*p);
    memmove(blocks + at + 1, blocks + at, (held++ - at) * sizeof *blocks);
    blocks[at].start = *p;
    blocks[at].bytes = n;
    used += n;
    return OK;
}
result cuMemFree_v2(void *p)
{
    int at = place_of(p);
    if (at == held || blocks[at].start != p) return 1;
    used -= blocks[at].bytes;
    memmove(blocks + at, blocks + at + 1, (--held - at) * sizeof *blocks);
    free(p);
    return OK;
}
result cuMemGetInfo_v2(size_t *f, size_t *t) { *f = total - used; *t = total; return OK; }
result cuMemHostAlloc(void **p, size_t n, unsigned flags) { *p = malloc(n); pin(*p, n); return OK; }
result cuMemAllocHost_v2(void **p, size_t n) { return cuMemHostAlloc(p, n, 0); }
result cuMemFreeHost(void *p) { unpin(p); free(p); return OK; }
result cuMemHostRegister_v2(void *p, size_t n, unsigned flags) { pin(p, n); return OK; }
result cuMemHostUnregister(void *p) { unpin(p); return OK; }
result cuMemHostGetDevicePointer_v2(void **d, void *h, unsigned flags) { *d = h; return OK; }
result cuPointerGetAttribute(void *data, int attribute, void *p) { return 1; }
static result copy(void *d, void *s, size_t n)
{
    copies++;
    if (captured) return add(captured, (struct node){ 0, d, s, n }, 0);
    memcpy(d, s, n);
    return OK;
}
static result copy_host(void *d, void *s, void *host, size_t n)
{
    if (captured) return 906;
    if (!is_pinned(host)) pageable_copies++;
    return copy(d, s, n);
}
result cuMemcpyAsync(void *d, void *s, size_t n, void *stream) { return copy(d, s, n); }
result cuMemcpyDtoDAsync_v2(void *d, void *s, size_t n, void *stream) { return copy(d, s, n); }
result cuMemcpyHtoDAsync_v2(void *d, void *s, size_t n, void *stream) { uploaded += n; return copy_host(d, s, s, n); }
result cuMemcpyDtoHAsync_v2(void *d, void *s, size_t n, void *stream) { return copy_host(d, s, d, n); }
result cuMemsetD8Async(void *d, unsigned char v, size_t n, void *stream) { if (captured) return 906; memset(d, v, n); return OK; }

static uintptr_t streams;
result cuStreamCreate(void **s, unsigned flags) { *s = (void *)(++streams); return OK; }
result cuStreamCreateWithPriority(void **s, unsigned flags, int priority) { return cuStreamCreate(s, flags); }
result cuStreamDestroy_v2(void *s) { return OK; }
result cuStreamSynchronize(void *s) { synchronizations++; return capturing ? 900 : OK; }
result cuStreamWaitEvent(void *s, void *e, unsigned flags) { return OK; }
result cuEventCreate(void **e, unsigned flags) { *e = malloc(8); return OK; }
result cuEventDestroy_v2(void *e) { free(e); return OK; }
result cuEventRecord(void *e, void *s) { return OK; }
result cuEventQuery(void *e) { return OK; }
result cuEventSynchronize(void *e) { waits++; return OK; }
result cuEventElapsedTime(float *ms, void *a, void *b) { *ms = 1; return OK; }

result cuModuleLoadDataEx(void **m, const char *text, unsigned n, int *options, void **values)
{
    const char *planted = getenv("STUB_REFUSES");
    if (refuse_modules || planted && strstr(text, planted))
    {
        for (unsigned i = 0; i < n; i++) if (options[i] == 5) strcpy(values[i], "ptxas application ptx input, line 9; error : refused by the stub\n");
        return 218;
    }

    /* ILGPU loads this in place of a kernel, but it is not a kernel. */
    struct module *module = malloc(sizeof *module);
    if (!strstr(text, ".entry Kernel_Run")) strncpy(last_ptx, text, sizeof last_ptx - 1);
    module->number = strstr(text, ".entry Kernel_Run") ? 0 : ++modules;
    module->text = strdup(text);
    *m = module;
    return OK;
}
result cuModuleLoadData(void **m, const char *text) { return cuModuleLoadDataEx(m, text, 0, 0, 0); }
result cuModuleUnload(void *m) { return OK; }
result cuModuleGetFunction(void **f, void *m, const char *name)
{
    char entry[1100];
    if (strlen(name) > 1000) return NOT_FOUND;
    strcat(strcat(strcpy(entry, ".entry "), name), "(");
    *f = m;
    return strstr(((struct module *)m)->text, entry) ? OK : NOT_FOUND;
}
result cuFuncSetAttribute(void *f, int attribute, int value) { return OK; }
result cuOccupancyMaxActiveBlocksPerMultiprocessor(int *n, void *f, int block, size_t shared) { *n = 2; return OK; }
result cuOccupancyMaxPotentialBlockSize(int *grid, int *block, void *f, void *callback, size_t shared, int limit) { *grid = 264; *block = 256; return OK; }
result cuGetErrorString(int error, const char **text) { *text = error == OUT_OF_MEMORY ? "out of memory" : error == LAUNCH_FAILED ? fault : "stub error"; return OK; }
result cuLaunchKernel(void *f, int gx, int gy, int gz, int bx, int by, int bz, int shared, void *stream, void **arguments, void **extra)
{
    if (gx < 1 || gy < 1 || gz < 1 || gy > 65535 || gz > 65535) return INVALID_VALUE;
    if (!stream) null_stream_launches++;
    if (!captured) launches++;
    struct module *module = f;
    if (!prepare) return captured ? add(captured, (struct node){ .is_kernel = 1 }, module->text) : OK;

    /* Arguments are in one buffer: { 1, address, 2, address of its size, 0 }. */
    if (arguments || !extra || extra[0] != (void *)1 || extra[2] != (void *)2 || extra[4]) abort();
    void *launch = prepare(module->number, module->text, gx, gy, gz, bx, by, bz, extra[1], *(size_t *)extra[3]);
    if (!launch) return LAUNCH_FAILED;
    if (captured) return add(captured, (struct node){ .launch = launch, .is_kernel = 1 }, module->text);
    int error = run(launch);
    forget(launch);
    return error;
}

result cuStreamBeginCapture_v2(void *s, int mode)
{
    if (refuse_graphs) return 801;
    if (capturing || !s) return 900;
    captured = calloc(1, sizeof(struct graph));
    capturing = 1;
    next_count = 0;
    return OK;
}
result cuStreamEndCapture(void *s, void **graph)
{
    if (!capturing) return 401;
    *graph = captured;
    captured = 0;
    capturing = 0;
    captures++;
    return OK;
}

/* With flag 1 the next node depends on the nodes given instead of those before. */
result cuStreamUpdateCaptureDependencies_v2(void *s, uintptr_t *nodes, const struct edge *edges, size_t count, unsigned flags)
{
    static const struct edge full, programmatic = { 1, 0, 1 };
    if (refuse_edges) return 801;
    if (!capturing) return 401;
    if (flags > 1 || count > most_dependencies) return INVALID_VALUE;
    if (flags == 1) next_count = 0;
    for (size_t i = 0; i < count; i++)
    {
        int early = edges && !memcmp(edges + i, &programmatic, sizeof programmatic);
        if (!nodes[i] || nodes[i] > captured->nodes || edges && !early && memcmp(edges + i, &full, sizeof full)) return INVALID_VALUE;
        if (early && (refuse_programmatic || !captured->node[nodes[i] - 1].is_kernel)) return INVALID_VALUE;
        next[next_count++] = (struct dependency){ nodes[i], early };
    }

    return OK;
}
result cuStreamUpdateCaptureDependencies(void *s, uintptr_t *nodes, size_t count, unsigned flags) { return cuStreamUpdateCaptureDependencies_v2(s, nodes, 0, count, flags); }
result cuStreamGetCaptureInfo_v2(void *s, int *status, unsigned long long *id, void **graph, uintptr_t **nodes, size_t *count)
{
    static uintptr_t known[most_dependencies];
    for (int i = 0; i < next_count; i++) known[i] = next[i].node;
    *status = capturing;
    *id = captures + 1;
    *graph = captured;
    *nodes = known;
    *count = next_count;
    return OK;
}
result cuGraphInstantiateWithFlags(void **exec, void *graph, unsigned long long flags)
{
    struct graph *g = *exec = memcpy(malloc(sizeof *g), graph, sizeof *g);
    ((struct graph *)graph)->nodes = 0;
    ((struct graph *)graph)->node = 0;
    for (int i = 0, edge = 0; i < g->nodes && lost_edge; i++)
        for (int k = 0; k < g->node[i].dependencies; k++)
            if (++edge == lost_edge) g->node[i].dependency[k] = g->node[i].dependency[--g->node[i].dependencies];
    return OK;
}
static unsigned draw(unsigned *state, unsigned below) { return (*state = *state * 1664525 + 1013904223) / 65536 % below; }
result cuGraphLaunch(void *exec, void *stream)
{
    struct graph *g = last_graph = exec;
    graph_launches++;
    char *done = calloc(g->nodes + 1, 1);
    int *ready = malloc(g->nodes * sizeof *ready + 1), error = OK;
    unsigned state = order;
    for (int left = g->nodes; left && !error; left--)
    {
        int count = 0;
        for (int i = 0; i < g->nodes && !(count && !order); i++)
        {
            int waits = done[i];
            for (int k = 0; k < g->node[i].dependencies && !waits; k++) waits = !done[g->node[i].dependency[k].node - 1];
            if (!waits) ready[count++] = i;
        }

        int at = ready[order == 1 ? count - 1 : order ? draw(&state, count) : 0];
        struct node *n = g->node + at;
        done[at] = 1;
        if (n->launch) error = run ? run(n->launch) : OK;
        else if (n->to) memcpy(n->to, n->from, n->bytes);
    }

    free(done);
    free(ready);
    return error;
}
result cuGraphDestroy(void *graph)
{
    struct graph *g = graph;
    for (int i = 0; i < g->nodes; i++)
    {
        if (g->node[i].launch && forget) forget(g->node[i].launch);
        free(g->node[i].dependency);
    }

    free(g->node);
    free(g);
    return OK;
}
result cuGraphExecDestroy(void *exec) { if (last_graph == exec) last_graph = 0; return cuGraphDestroy(exec); }
