/* A CUDA driver without a GPU: device memory is host memory, copies are made, kernels are counted. They run where a test has set a machine that
   executes their text. What the host code asked for can be read back through the stub_* functions. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef int result;
enum { OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_FOUND = 500, LAUNCH_FAILED = 719 };

static size_t total = (size_t)1 << 30, used, uploaded;
static int launches, modules, captures, graph_launches, null_stream_launches, capturing, synchronizations, pageable_copies, copies, waits;
static int version = 12080, refuse_graphs, refuse_modules, allocation_error;
static char last_ptx[1 << 20];

/* What is held of page-locked memory: a copy from or to other host memory makes the host wait. */
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

/* A module is its text, and so is its only function. */
struct module { int number; char *text; };

/* What executes kernels. A launch is prepared, which copies its arguments, then run, once or with every launch of a graph. */
static void *(*prepare)(int module, const char *text, int gx, int gy, int gz, int bx, int by, int bz, const void *arguments, size_t bytes);
static int (*run)(void *launch);
static void (*forget)(void *launch);
static char fault[1 << 14];
void stub_set_machine(void *p, void *r, void *f) { prepare = p; run = r; forget = f; }
void stub_set_fault(const char *text) { strncpy(fault, text, sizeof fault - 1); }

/* A graph: kernels and copies in the order of their capture, which is that of the stream. */
struct step { void *launch, *to, *from; size_t bytes; };
struct graph { int kernels, steps, room; struct step *step; };
static struct graph *captured, *last_graph;
static void add(struct graph *g, struct step s)
{
    if (g->steps == g->room) g->step = realloc(g->step, (g->room = 2 * g->room + 64) * sizeof s);
    g->step[g->steps++] = s;
}

void stub_set_version(int v) { version = v; }
void stub_set_refuse_graphs(int v) { refuse_graphs = v; }
void stub_set_refuse_modules(int v) { refuse_modules = v; }
void stub_set_allocation_error(int v) { allocation_error = v; }
void stub_set_room(int bytes) { total = bytes < 0 ? (size_t)1 << 30 : used + bytes; }
int stub_uploaded_bytes(void) { return (int)uploaded; }
int stub_synchronizations(void) { return synchronizations; }
int stub_pageable_copies(void) { return pageable_copies; }
int stub_copies(void) { return copies; }
int stub_waits(void) { return waits; }
int stub_graph_kernels(void) { return last_graph ? last_graph->kernels : 0; }

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

/* A new block holds numbers that are none, where kernels run: whoever counts on zeros is found. */
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
    if (captured) add(captured, (struct step){ 0, d, s, n });
    else memcpy(d, s, n);
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

    /* What ILGPU loads in place of a kernel is none. */
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
    if (captured) captured->kernels++;
    else launches++;
    if (!prepare) return OK;

    /* Arguments come in one buffer: { 1, address, 2, address of its size, 0 }. */
    struct module *module = f;
    if (arguments || !extra || extra[0] != (void *)1 || extra[2] != (void *)2 || extra[4]) abort();
    void *launch = prepare(module->number, module->text, gx, gy, gz, bx, by, bz, extra[1], *(size_t *)extra[3]);
    if (!launch) return LAUNCH_FAILED;
    if (captured) { add(captured, (struct step){ launch }); return OK; }
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
result cuGraphInstantiateWithFlags(void **exec, void *graph, unsigned long long flags)
{
    struct graph *g = *exec = memcpy(malloc(sizeof *g), graph, sizeof *g);
    ((struct graph *)graph)->steps = 0;
    ((struct graph *)graph)->step = 0;
    return OK;
}
result cuGraphLaunch(void *exec, void *stream)
{
    last_graph = exec;
    graph_launches++;
    for (int i = 0; i < last_graph->steps; i++)
    {
        struct step *s = last_graph->step + i;
        int error = OK;
        if (s->launch) error = run ? run(s->launch) : OK;
        else memcpy(s->to, s->from, s->bytes);
        if (error) return error;
    }
    return OK;
}
result cuGraphDestroy(void *graph)
{
    struct graph *g = graph;
    for (int i = 0; i < g->steps; i++) if (g->step[i].launch && forget) forget(g->step[i].launch);
    free(g->step);
    free(g);
    return OK;
}
result cuGraphExecDestroy(void *exec) { if (last_graph == exec) last_graph = 0; return cuGraphDestroy(exec); }
